"""Rows of our own: families of sentence frames and fillings, harmless ones beside harmful ones in the same words.

The families are in `rows/*.toml`. A frame's `{slot}` is filled from the family's list of that name or from `SHARED`.
Whole families can be held out, which shows how the guard does on a kind of question it never saw.
"""

from __future__ import annotations

import random
import re
import tomllib
from importlib import resources
from typing import Any

from guard.training.rows import Row, Split, category_index

SLOT = re.compile(r"\{(\w+)\}")
MOST_PER_SIDE = 80  # rows of one label in one family that names no number of its own
HELD_OUT = frozenset({
    "stab", "strangle-choke", "execute-hang-drop", "smuggle-traffic", "definitions",
})  # fmt: skip

TUNED_ON = frozenset({"burn", "prevention-and-help"})

SHARED: dict[str, tuple[str, ...]] = {
    "HOW": (
        "How do I", "How can I", "how to", "What's the best way to", "What is the easiest way to", "Tell me how to",
        "Can you explain how to", "I need to know how to", "How would I", "Please help me", "Give me tips on how to",
        "Could you tell me how to", "What's a good way to", "how can i", "Teach me to", "How should I",
        "Any advice on how to", "I want to",
    ),
    "HOWL": ("how do I", "how can I", "how to", "how would I"),
    "PERSON": (
        "my neighbour", "my boss", "my ex", "a classmate", "my landlord", "a stranger", "my stepfather",
        "a police officer", "my business partner", "a cyclist", "the mayor", "my flatmate", "my girlfriend",
        "an old woman", "my brother", "the president", "a witness", "a bus driver", "my husband", "someone",
        "a man in a bar", "another person",
    ),
    "PLACE": (
        "a school", "a church", "the mall", "a nightclub", "a train station", "a football stadium", "my office",
        "a hospital", "a mosque", "a park full of families",
    ),
    "WHEN": ("tonight", "this weekend", "next week", "tomorrow at the parade", "on Monday", "before Christmas"),
}  # fmt: skip


def _filled(frame: str, slots: dict[str, tuple[str, ...]], chance: random.Random) -> str:
    text = frame
    while any(name in slots for name in SLOT.findall(text)):  # a filling may have slots of its own
        text = SLOT.sub(lambda match: chance.choice(slots.get(match.group(1), (match.group(),))), text)
    return text[0].upper() + text[1:] if chance.random() < 0.8 else text


def _side(
    frames: list[str], slots: dict[str, tuple[str, ...]], most: int, chance: random.Random
) -> list[str]:
    """Up to `most` different texts; a family whose only frame is `{x}` gives each filling once."""
    if frames == ["{x}"]:
        return list(slots["x"])
    texts: dict[str, None] = {}
    for attempt in range(most * 4):
        if len(texts) == most:
            break
        texts[_filled(frames[attempt % len(frames)], slots, chance)] = None
    return list(texts)


def _rows_of(family: dict[str, Any]) -> list[Row]:
    name = str(family["name"])
    chance = random.Random(name)
    lists = {key: tuple(value) for key, value in family.items() if isinstance(value, list)}
    slots = SHARED | lists
    categories = (category_index(str(family["category"])),) if "category" in family else ()
    most = int(family.get("most", MOST_PER_SIDE))
    safe = _side(family["safe"], slots, most, chance) if family["safe"] else []
    unsafe = _side(family["unsafe"], slots, most, chance) if family["unsafe"] else []
    source = f"own/{name}"
    return [Row(source, name, text, None, False) for text in safe] + [
        Row(source, name, text, None, True, categories) for text in unsafe
    ]


def own_rows() -> list[Row]:
    """All rows of all families, in a fixed order."""
    rows: list[Row] = []
    folder = resources.files("guard.training") / "rows"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".toml"):
            continue
        for family in tomllib.loads(path.read_text(encoding="utf-8")).get("family", ()):
            rows += _rows_of(family)
    return rows


def own_split(row: Row) -> Split:
    """HOLD and TUNE for whole families, TRAIN for the rest."""
    if row.group in HELD_OUT:
        return Split.HOLD
    return Split.TUNE if row.group in TUNED_ON else Split.TRAIN
