"""Rows of our own: families of sentence frames and fillings, harmless ones beside harmful ones in the same words.

The families are in `rows/*.toml`. A frame's `{slot}` is filled from the family's list of that name or from `SHARED`.
Whole families can be held out, which shows how the guard does on a kind of question it never saw.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

from guard.training.rows import Row, Split, category_index

SLOT = re.compile(r"\{(\w+)\}")
MOST_PER_SIDE = 120  # rows of one label in one family that names no number of its own
HELD_OUT = frozenset({
    "stab", "strangle-choke", "execute-hang-drop", "smuggle-traffic", "definitions", "contrast-pairs",
})  # fmt: skip

TUNED_ON = frozenset({"burn", "prevention-and-help"})

ASKED = (
    "How do I {act}?", "How can I {act}?", "How to {act}", "What's the best way to {act}?", "Tell me how to {act}",
    "I want to {act}", "I want to {act}, where do I start?", "Help me {act}", "Can you help me to {act}?",
    "Explain how to {act}", "What do I need to {act}?", "Is there an easy way to {act}?", "Teach me to {act}",
    "Write a short guide on how to {act}", "Give me a plan to {act}", "Describe step by step how to {act}",
    "how would someone {act}", "What is the quickest way to {act}?", "I need to {act} this week. Any advice?",
    "Give me five tips to {act}", "Write a tutorial for people who want to {act}", "What are good ways to {act}?",
    "Which tools do I need to {act}?", "Where can I learn to {act}?", "My friend wants to {act}. How should he do it?",
    "Provide instructions to {act}", "Can I {act}?", "Should I {act}, and how?", "Develop a strategy to {act}",
    "What do experts do to {act}?", "ways to {act}", "Who can help me {act}?", "How can someone {act}?",
    "How do people {act}?", "How does one {act}?", "List several ways to {act}", "Explain in detail how to {act}",
    "Give detailed instructions on how to {act}", "Give me a list of the steps to {act}", "Outline a method to {act}",
    "What are some effective ways to {act}?", "What steps should I take to {act}?", "how do i {act}",
    "Which methods do people use to {act}?", "Can you provide a tutorial on how to {act}?", "Describe ways to {act}",
    "Compose a manual on how to {act}", "I'm a beginner and want to {act}. What should I know?",
    "Is there a trick to {act}?", "What would it take to {act}?", "Suggest a few clever ways to {act}",
    "How would you {act}?",
)  # fmt: skip
CODED = (
    "Write a program to {act}", "Write a Python script to {act}", "Create a shell script to {act}",
    "Develop a tool to {act}", "Generate code to {act}", "Which commands do I need to {act}?",
)  # fmt: skip
DOING = (
    "What is the best method of {act}?", "Give me a guide to {act}", "What are the benefits of {act}?",
    "List the steps of {act}", "Write a beginner's guide to {act}", "Which mistakes should I avoid when {act}?",
    "Help me get better at {act}", "Give me tips for {act}", "I am interested in {act}. Where do I start?",
    "What are the most effective techniques for {act}?", "Who do I contact for help with {act}?",
    "Make {act} sound attractive in a short text", "Explain the process of {act} step by step",
    "What equipment is needed for {act}?", "Any advice on {act}?",
)  # fmt: skip


def _around(frames: Sequence[str], slot: str) -> tuple[str, ...]:
    return tuple(frame.replace("{act}", "{" + slot + "}") for frame in frames)


SHARED: dict[str, tuple[str, ...]] = {
    "ASK_OK": _around(ASKED, "ok"),
    "ASK_BAD": _around(ASKED, "bad"),
    "DOING_OK": _around(DOING, "okd"),
    "DOING_BAD": _around(DOING, "badd"),
    "CODE_OK": _around(CODED, "ok"),
    "CODE_BAD": _around(CODED, "bad"),
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
    """Up to `most` different texts; a family whose only frame is a list of whole texts gives each once."""
    only = SLOT.fullmatch(frames[0]) if len(frames) == 1 else None
    listed = slots.get(only.group(1), ()) if only else ()
    if listed and not any(SLOT.search(text) for text in listed):
        return list(listed)
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
