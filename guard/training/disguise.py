"""Changes to a training text that keep its label: wrappers, leet, spaced letters, typing errors, case.

Both labels are changed alike, so that neither noise nor a wrapper is by itself a sign of harm.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from importlib import resources

LEET = str.maketrans("aeiost", "431057")
KEYBOARD = "abcdefghijklmnopqrstuvwxyz"


@cache
def wrappers() -> tuple[str, ...]:
    """Texts with a `{REQUEST}` in them, from `rows/wrappers.toml`."""
    text = (resources.files("guard.training") / "rows" / "wrappers.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["wrappers"])


def wrapped(text: str, chance: random.Random) -> str:
    """The request inside a wrapper."""
    return chance.choice(wrappers()).replace("{REQUEST}", text)


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


def disguised(text: str, chance: random.Random) -> str:
    """The text as it is (about seven in ten), or changed in one way."""
    draw = chance.random()
    if not text or draw < 0.68:
        return text
    for limit, change in ((0.82, wrapped), (0.90, restyled), (0.94, mistyped), (0.975, leet), (1.0, spaced)):
        if draw < limit:
            return change(text, chance)
    return text
