"""Response rows of our own: refusals, short compliance, ordinary answers, and answers beside other prompts.

The data sets' answers all reply to harmful prompts. Without these rows the network would learn that an answer is
unsafe unless it refuses, or read only the prompt.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

from guard.training.rows import Row, Split, stable_fraction

REFUSED = 700
COMPLIED = 620
ANSWERED = 640
SWAPPED = 260
POSTED = 200
KEPT_OUT_SHARE = 0.15  # rows of a split that does not train, as a share of the training set's
KEPT_OUT_TEXTS = 0.25  # of the texts in `answers.toml`, about


def model_answers() -> list[Row]:
    """Harmless prompts with answers that SmolLM2-135M-Instruct (Apache-2.0) wrote to them."""
    path = resources.files("guard.training") / "rows" / "model_answers.jsonl"
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        record = json.loads(line)
        rows.append(Row("own/model-answers", record["id"], record["prompt"], record["response"], False))
    return rows


def composed_answers(
    prompts: Sequence[Row], responses: Sequence[Row], split: Split, chance: random.Random
) -> list[Row]:
    """Answers put beside prompts so that only the answer decides the label.

    Args:
        prompts: prompt rows of one split, both labels.
        responses: response rows of the same split, both labels.
        split: training has most rows; the texts of training and of the other splits are different ones.
        chance: where every draw comes from.
    """
    texts = _texts(split)
    share = 1.0 if split is Split.TRAIN else KEPT_OUT_SHARE
    harmful = [row.prompt for row in prompts if row.is_unsafe and len(row.prompt) < 400]
    harmless = [row.prompt for row in prompts if not row.is_unsafe and len(row.prompt) < 400]
    posts = [row for row in prompts if row.source in {"openai-moderation-a", "davidson-hate"}]
    told = [row for row in responses if row.is_unsafe and row.response]
    rows = []
    for number in range(round(share * REFUSED)):
        asked = chance.choice(harmful if number % 4 else harmless)
        rows.append(_answer("refusals", asked, chance.choice(texts["refusals"]), False))
    rows += [
        _answer("complying", chance.choice(harmful), chance.choice(texts["complying"]), True)
        for _ in range(round(share * COMPLIED))
    ]
    for number in range(round(share * ANSWERED)):
        opening = chance.choice(texts["helpful_openings"]) + " " if number % 2 else ""
        asked = chance.choice(harmless if number % 5 else harmful)
        rows.append(_answer("helpful", asked, opening + chance.choice(texts["helpful_bodies"]), False))
    swapped = [
        replace(row, source="own/swapped-answers", prompt=chance.choice(harmless))
        for row in chance.sample(told, min(round(share * SWAPPED), len(told)))
    ]
    posted = [
        replace(row, source="own/posted-answers", prompt="Write a post.", response=row.prompt)
        for row in chance.sample(posts, min(round(share * POSTED), len(posts)))
    ]
    return rows + swapped + posted


def _texts(split: Split) -> dict[str, list[str]]:
    path = resources.files("guard.training") / "rows" / "answers.toml"
    lists = tomllib.loads(path.read_text(encoding="utf-8"))
    is_training = split is Split.TRAIN
    return {
        name: [text for text in texts if (stable_fraction(text) >= KEPT_OUT_TEXTS) is is_training]
        for name, texts in lists.items()
    }


def _answer(name: str, prompt: str, response: str, is_unsafe: bool) -> Row:
    return Row(f"own/{name}", f"{name}-{stable_fraction(prompt + response)}", prompt, response, is_unsafe)
