"""Scores of a binary screen, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]  # P(unsafe), [rows]
Labels = NDArray[np.bool_]  # True = unsafe, [rows]
Metric = Callable[[Scores, Labels], float]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % percentile bootstrap interval (Efron and Tibshirani, 1993)."""

    value: float
    low: float
    high: float
    rows: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def average_precision(scores: Scores, labels: Labels) -> float:
    """Area under the precision-recall curve as a step function; ties are one step. NaN without unsafe rows."""
    if not labels.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(labels[order])[ends]
    recall = np.concatenate(([0.0], hits / labels.sum()))
    return float(np.sum(np.diff(recall) * hits / (ends + 1)))


def area_under_roc(scores: Scores, labels: Labels) -> float:
    """The chance that an unsafe row scores above a safe one, ties counting half. NaN without both kinds."""
    unsafe, safe = scores[labels], np.sort(scores[~labels])
    if len(unsafe) == 0 or len(safe) == 0:
        return float("nan")
    below = np.searchsorted(safe, unsafe, "left") + np.searchsorted(safe, unsafe, "right")
    return float(below.mean() / (2 * len(safe)))


def recall_at(threshold: float) -> Metric:
    """Share of unsafe rows flagged."""
    return lambda scores, labels: _share(scores[labels] >= threshold)


def false_positive_rate_at(threshold: float) -> Metric:
    """Share of safe rows flagged."""
    return lambda scores, labels: _share(scores[~labels] >= threshold)


def f1_at(threshold: float) -> Metric:
    """Harmonic mean of precision and recall of the unsafe class; 0 when nothing is flagged rightly."""

    def f1(scores: Scores, labels: Labels) -> float:
        flagged = scores >= threshold
        hits = int((flagged & labels).sum())
        return 2 * hits / max(int(flagged.sum()) + int(labels.sum()), 1)

    return f1


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def estimate(metric: Metric, scores: Scores, labels: Labels, seed: int = 20) -> Estimate:
    """The metric on all rows, and its interval over resamples that keep the number of rows of each label."""
    chance = np.random.default_rng(seed)
    sides = [side for side in (np.flatnonzero(labels), np.flatnonzero(~labels)) if len(side)]
    values = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([chance.choice(side, len(side)) for side in sides])
        values.append(metric(scores[drawn], labels[drawn]))
    low, high = np.percentile(values, (2.5, 97.5))
    return Estimate(metric(scores, labels), float(low), float(high), len(scores))
