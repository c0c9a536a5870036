"""Scores in rows, and what the rows of one evaluator add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluators.base import Evaluator, Failure, Sample, Scale, Score
from evaluators.stats import (
    Estimate,
    PairedComparison,
    compare_means,
    compare_rates,
    compare_shares,
    mean_estimate,
    rate_estimate,
    share_estimate,
)
from evaluators.stats.estimate import DEFAULT_LEVEL, FloatArray

SCORE_COLUMNS = ("candidate", "sample", "repeat", "evaluator", "value", "reason", "failure")


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One evaluator's outcome on one answer. `value` is None for unscored and failed rows."""

    candidate: str
    sample: str
    repeat: int
    evaluator: str
    value: float | None
    reason: str = ""
    failure: str = ""
    """The failure's kind; empty when the evaluator did its work."""


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """One candidate under one evaluator. Missing items are none of the estimate's: they are neither 0 nor 1."""

    estimate: Estimate | None
    """The mean over items with at least one score; None without any."""
    unscored: int
    """Rows the evaluator could not judge."""
    failed: int
    """Rows on which the evaluator failed."""
    missing_items: int
    """Items without any score."""


def score_row(
    candidate: str, sample: Sample, repeat: int, evaluator: Evaluator, outcome: Score | Failure
) -> ScoreRow:
    """The outcome as a row."""
    if isinstance(outcome, Failure):
        return ScoreRow(candidate, sample.id, repeat, evaluator.name, None, outcome.message, outcome.kind)
    return ScoreRow(candidate, sample.id, repeat, evaluator.name, outcome.value, outcome.reason)


def scores_frame(rows: Sequence[ScoreRow]) -> pd.DataFrame:
    """One row an outcome; `value` is NaN where there is none."""
    records = [[getattr(row, column) for column in SCORE_COLUMNS] for row in rows]
    frame = pd.DataFrame(records, columns=list(SCORE_COLUMNS))
    return frame.astype({"repeat": "int64", "value": "float64"})


def summarise(scores: pd.DataFrame, scale: Scale, level: float = DEFAULT_LEVEL) -> ScoreSummary:
    """What the rows of one candidate and one evaluator add up to; repeats of a sample count as one item.

    Raises: ValueError when the rows are of several candidates or evaluators.
    """
    _refuse_mixed(scores, ["candidate", "evaluator"])
    values = _values_by_item(scores)
    failed = int((scores["failure"] != "").sum())
    unscored = int(scores["value"].isna().sum()) - failed
    missing = scores["sample"].nunique() - len(values)
    return ScoreSummary(_estimate(list(values.values()), scale, level), unscored, failed, missing)


def compare_candidates(
    scores: pd.DataFrame, first: str, second: str, scale: Scale, level: float = DEFAULT_LEVEL
) -> PairedComparison | None:
    """First candidate minus second under one evaluator, over the items both have scores for; None without any.

    Raises: ValueError when the rows are of several evaluators.
    """
    _refuse_mixed(scores, ["evaluator"])
    left = _values_by_item(scores[scores["candidate"] == first])
    right = _values_by_item(scores[scores["candidate"] == second])
    shared = [item for item in left if item in right]
    if not shared:
        return None
    compare = {Scale.BINARY: compare_rates, Scale.UNIT: compare_shares, Scale.NUMBER: compare_means}[scale]
    return compare([left[item] for item in shared], [right[item] for item in shared], level)


def _refuse_mixed(scores: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if scores[column].nunique() > 1:
            raise ValueError(f"scores of several {column}s cannot be averaged together")


def _values_by_item(scores: pd.DataFrame) -> dict[str, FloatArray]:
    scored = scores[scores["value"].notna()]
    return {
        str(item): np.asarray(rows, dtype=np.float64)
        for item, rows in scored.groupby("sample", sort=False)["value"]
    }


def _estimate(values: list[FloatArray], scale: Scale, level: float) -> Estimate | None:
    if not values:
        return None
    if scale is Scale.BINARY:
        return rate_estimate(values, level)
    return share_estimate(values, level) if scale is Scale.UNIT else mean_estimate(values, level)
