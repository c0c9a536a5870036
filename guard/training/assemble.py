"""All rows by split, with training rows that come near a tuning or held-out row taken out."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from guard.training.answers import composed_answers, model_answers
from guard.training.families import own_rows, own_split
from guard.training.near_duplicates import Signatures, near_duplicates, signatures
from guard.training.rows import Row, Split, stable_fraction
from guard.training.sources import read_sources


@dataclass(frozen=True, slots=True)
class Assembled:
    """The rows of each split. `dropped` counts near-duplicates taken out of training, by source."""

    splits: dict[Split, list[Row]]
    dropped: Counter[str]
    train_signatures: Signatures
    kept_out_signatures: Signatures


def _add_own(splits: dict[Split, list[Row]]) -> None:
    for row in own_rows():
        splits[own_split(row)].append(row)
    taken = {row.group: split for split, rows in splits.items() for row in rows}
    for row in model_answers():
        place = stable_fraction(row.prompt)
        fallback = Split.HOLD if place < 0.2 else Split.TRAIN
        splits[taken.get(row.group, fallback)].append(row)
    for number, split in enumerate(Split):
        prompts = [row for row in splits[split] if row.response is None]
        responses = [row for row in splits[split] if row.response is not None]
        splits[split] += composed_answers(prompts, responses, split, random.Random(number))


def assemble(data: Path) -> Assembled:
    """Read the data folder and add our own rows.

    A training row is dropped when its text, prompt and answer together, is near a kept-out row's.
    """
    splits = read_sources(data)
    _add_own(splits)
    kept_out = [_compared(row) for split in (Split.TUNE, Split.HOLD) for row in splits[split]]
    reference = signatures(kept_out)
    training = splits[Split.TRAIN]
    candidates = signatures([_compared(row) for row in training])
    near = near_duplicates(candidates, reference)
    dropped = Counter(row.source for row, is_near in zip(training, near, strict=True) if is_near)
    splits[Split.TRAIN] = [row for row, is_near in zip(training, near, strict=True) if not is_near]
    return Assembled(splits, dropped, candidates[~near], reference)


def _compared(row: Row) -> str:
    return row.prompt if row.response is None else f"{row.prompt} {row.response}"
