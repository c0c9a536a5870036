"""Changes to a training text that keep its label: wrappers, other sentences around it, leet, typing errors.

Both labels are changed alike, so that neither noise nor a wrapper is by itself a sign of harm.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources

LEET = str.maketrans("aeiost", "431057")
KEYBOARD = "abcdefghijklmnopqrstuvwxyz"


@cache
def _lists() -> dict[str, list[str]]:
    text = (resources.files("guard.training") / "rows" / "wrappers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def wrappers() -> tuple[str, ...]:
    """Texts with a `{REQUEST}` in them, from `rows/wrappers.toml`."""
    return tuple(_lists()["wrappers"])


def wrapped(text: str, chance: random.Random) -> str:
    """The request inside a wrapper."""
    return chance.choice(wrappers()).replace("{REQUEST}", text)


def buried(text: str, chance: random.Random) -> str:
    """The text among two to six harmless sentences, in a third of the draws always the same one."""
    fillers = _lists()["fillers"]
    count = chance.randint(2, 6)
    sentences = [chance.choice(fillers)] * count if chance.random() < 1 / 3 else chance.sample(fillers, count)
    place = chance.randint(0, count)
    return " ".join((*sentences[:place], text, *sentences[place:]))


def leet(text: str, chance: random.Random) -> str:
    """Some of the words in leet spelling."""
    return " ".join(word.translate(LEET) if chance.random() < 0.6 else word for word in text.split(" "))


def mistyped(text: str, chance: random.Random) -> str:
    """One letter in about twenty dropped, doubled, swapped or replaced."""
    letters = list(text)
    for _ in range(max(1, len(letters) // 20)):
        place = chance.randrange(len(letters)) if letters else 0
        letters[place : place + 1] = chance.choice(
            (
                [],
                letters[place : place + 1] * 2,
                [chance.choice(KEYBOARD)],
                letters[place : place + 1][::-1] or [],
            )
        )
    return "".join(letters)


def spaced(text: str, chance: random.Random) -> str:
    """A few words with a mark between their letters."""
    mark = chance.choice(" .-")
    words = text.split(" ")
    return " ".join(mark.join(word) if len(word) > 3 and chance.random() < 0.3 else word for word in words)


def restyled(text: str, chance: random.Random) -> str:
    """Another ending or beginning, as people type."""
    text = text.rstrip("?.! ")
    start = chance.choice(("", "", "", "hi, ", "please ", "so ", "ok "))
    return start + text + chance.choice(("", "", "?", ".", "!!", " ???", " please", " thanks"))


CHANGES: tuple[tuple[float, Callable[[str, random.Random], str] | None], ...] = (
    (0.68, None), (0.76, wrapped), (0.84, buried), (0.91, restyled), (0.95, mistyped), (0.98, leet), (1.0, spaced),
)  # fmt: skip
LONGEST_BURIED = 150  # characters: a longer text would not fit a window together with the sentences around it


def disguised(text: str, chance: random.Random) -> str:
    """The text as it is (about two in three), or changed in one way."""
    draw = chance.random()
    change = next(change for limit, change in CHANGES if draw < limit)
    if not text or change is None or (change is buried and len(text) > LONGEST_BURIED):
        return text
    return change(text, chance)
