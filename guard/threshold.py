"""Rows that were judged once, looked at with any threshold: what a slider shows without asking the guard again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guard.calibrate import Confusion, confusion
from guard.evaluate import JudgedRow
from guard.taxonomy import STANDARD_HAZARDS


@dataclass(frozen=True, slots=True)
class HazardCount:
    """Of `n` unsafe rows of a hazard, how many are flagged."""

    code: str
    flagged: int
    n: int


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a threshold makes of the rows. False positives come with the highest score first."""

    threshold: float
    counts: Confusion
    false_positives: tuple[JudgedRow, ...]
    hazards: tuple[HazardCount, ...]


def at_threshold(judged: Sequence[JudgedRow], threshold: float) -> AtThreshold:
    """The decisions at `threshold`, in [0, 1]. Rows that were not judged count nowhere.

    A row without a score keeps the decision that the guard itself made.
    """
    known = [row for row in judged if row.verdict.is_available]
    flagged = [_is_flagged(row, threshold) for row in known]
    decided = list(zip(known, flagged, strict=True))
    wrongly = [row for row, is_flagged in decided if is_flagged and not row.row.is_unsafe]
    return AtThreshold(
        threshold,
        confusion(
            np.array([row.row.is_unsafe for row in known], dtype=np.bool_), np.array(flagged, dtype=np.bool_)
        ),
        tuple(sorted(wrongly, key=lambda row: -(row.verdict.p_unsafe or 0.0))),
        tuple(_hazard_counts(decided)),
    )


def _is_flagged(row: JudgedRow, threshold: float) -> bool:
    score = row.verdict.p_unsafe
    return row.verdict.is_flagged if score is None else score >= threshold


def _hazard_counts(decided: Sequence[tuple[JudgedRow, bool]]) -> list[HazardCount]:
    found = []
    for hazard in STANDARD_HAZARDS:
        own = [
            is_flagged
            for row, is_flagged in decided
            if row.row.is_unsafe and hazard.code in row.row.categories
        ]
        if own:
            found.append(HazardCount(hazard.code, sum(own), len(own)))
    return found
