"""Response rows of our own: refusals, ordinary answers, and answers beside prompts they do not belong to.

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

from guard.training.rows import Row, stable_fraction

REFUSED = 260
ANSWERED = 420
SWAPPED = 260
POSTED = 200


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
    prompts: Sequence[Row], responses: Sequence[Row], share: float, chance: random.Random
) -> list[Row]:
    """Answers put beside prompts so that only the answer decides the label.

    Args:
        prompts: prompt rows of one split, both labels.
        responses: response rows of the same split, both labels.
        share: how many to make, as a share of the training set's.
        chance: where every draw comes from.
    """
    path = resources.files("guard.training") / "rows" / "answers.toml"
    texts = tomllib.loads(path.read_text(encoding="utf-8"))
    harmful = [row.prompt for row in prompts if row.is_unsafe and len(row.prompt) < 400]
    harmless = [row.prompt for row in prompts if not row.is_unsafe and len(row.prompt) < 400]
    posts = [row for row in prompts if row.source in {"openai-moderation-a", "davidson-hate"}]
    told = [row for row in responses if row.is_unsafe and row.response]
    rows = []
    for number in range(round(share * REFUSED)):
        asked = chance.choice(harmful if number % 4 else harmless)
        rows.append(_safe("refusals", asked, chance.choice(texts["refusals"])))
    for number in range(round(share * ANSWERED)):
        opening = chance.choice(texts["helpful_openings"]) + " " if number % 2 else ""
        asked = chance.choice(harmless if number % 5 else harmful)
        rows.append(_safe("helpful", asked, opening + chance.choice(texts["helpful_bodies"])))
    swapped = [
        replace(row, source="own/swapped-answers", prompt=chance.choice(harmless))
        for row in chance.sample(told, min(round(share * SWAPPED), len(told)))
    ]
    posted = [
        replace(row, source="own/posted-answers", prompt="Write a post.", response=row.prompt)
        for row in chance.sample(posts, min(round(share * POSTED), len(posts)))
    ]
    return rows + swapped + posted


def _safe(name: str, prompt: str, response: str) -> Row:
    return Row(f"own/{name}", f"{name}-{stable_fraction(prompt + response)}", prompt, response, False)
