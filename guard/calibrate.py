"""How good a guard's scores are, and where to put the threshold.

Labels are booleans, True for unsafe; scores are P(unsafe). A score equal to the threshold counts as unsafe,
as in `guard.base.Verdict`. What cannot be computed (no positives, nothing flagged) is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.bool_]
Scores = NDArray[np.float64]
Statistic = Callable[[Labels, Scores], float | None]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of a yes-no decision against the labels; "positive" is unsafe."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def precision(self) -> float | None:
        """Share of the flagged that are unsafe, in [0, 1]."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the unsafe that are flagged, in [0, 1]."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN)."""
        doubled = 2 * self.true_positives
        return _ratio(doubled, doubled + self.false_positives + self.false_negatives)

    @property
    def fpr(self) -> float | None:
        """Share of the safe that are flagged, in [0, 1]."""
        return _ratio(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions, in [0, 1]."""
        right = self.true_positives + self.true_negatives
        return _ratio(right, right + self.false_positives + self.false_negatives)


@dataclass(frozen=True, slots=True)
class Curve:
    """One point a threshold, thresholds falling: what is flagged grows along the curve.

    `thresholds` are the distinct scores; arrays are of one length. `precision` may have no undefined point,
    because at every threshold something is flagged.
    """

    thresholds: Scores
    recall: Scores
    fpr: Scores
    precision: Scores


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic with its bootstrap percentile interval; `confidence` in (0, 1)."""

    value: float | None
    low: float | None
    high: float | None
    confidence: float


def as_arrays(labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores) -> tuple[Labels, Scores]:
    """Both as arrays of one length. Raises: ValueError on different lengths or scores that are not finite."""
    truth, values = np.asarray(labels, dtype=np.bool_), np.asarray(scores, dtype=np.float64)
    if truth.shape != values.shape or truth.ndim != 1:
        raise ValueError(f"{truth.size} labels do not go with {values.size} scores")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite numbers")
    return truth, values


def confusion(labels: Sequence[bool] | Labels, flagged: Sequence[bool] | Labels) -> Confusion:
    """The counts of decisions `flagged` against `labels`."""
    truth, said = np.asarray(labels, dtype=np.bool_), np.asarray(flagged, dtype=np.bool_)
    return Confusion(
        true_positives=int((truth & said).sum()),
        false_positives=int((~truth & said).sum()),
        true_negatives=int((~truth & ~said).sum()),
        false_negatives=int((truth & ~said).sum()),
    )


def curve(labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores) -> Curve | None:
    """The points of the ROC and the precision-recall curve. None unless both labels occur."""
    truth, values = as_arrays(labels, scores)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        return None
    order = np.argsort(-values, kind="stable")
    ranked, sorted_values = truth[order], values[order]
    # Equal scores are flagged together: only the last row of each run of equal scores is a point.
    last = np.append(np.flatnonzero(np.diff(sorted_values)), truth.size - 1)
    hits = np.cumsum(ranked)[last].astype(np.float64)
    flagged = (last + 1).astype(np.float64)
    return Curve(sorted_values[last], hits / positives, (flagged - hits) / negatives, hits / flagged)


def auprc(labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores) -> float | None:
    """Average precision: the sum over thresholds of (gain in recall) x precision, in [0, 1].

    Steps, not trapezes, which would be too kind (Davis and Goadrich, 2006). None unless both labels occur.
    """
    points = curve(labels, scores)
    if points is None:
        return None
    return float(np.sum(np.diff(points.recall, prepend=0.0) * points.precision))


def auroc(labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores) -> float | None:
    """Chance that an unsafe row scores higher than a safe one, ties counting half. None unless both occur."""
    points = curve(labels, scores)
    if points is None:
        return None
    recall, fpr = np.append(0.0, points.recall), np.append(0.0, points.fpr)
    return float(np.trapezoid(recall, fpr))


def threshold_for_f1(labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores) -> float | None:
    """The threshold with the best F1 on these rows, the highest one among equals. None unless both occur."""
    points = curve(labels, scores)
    if points is None:
        return None
    total = points.precision + points.recall
    f1 = np.divide(2 * points.precision * points.recall, total, out=np.zeros_like(total), where=total > 0)
    return float(points.thresholds[int(np.argmax(f1))])


def threshold_for_fpr(
    labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores, *, limit: float
) -> float | None:
    """The lowest threshold, so the highest recall, at which at most `limit` of the safe rows are flagged.

    `limit` in [0, 1]. None unless both labels occur, or when even the highest score breaks the limit.
    """
    points = curve(labels, scores)
    if points is None:
        return None
    allowed = points.thresholds[points.fpr <= limit]
    return float(allowed[-1]) if allowed.size else None


def calibration_error(
    labels: Sequence[bool] | Labels, scores: Sequence[float] | Scores, *, bins: int = 10
) -> float | None:
    """Expected calibration error: the mean gap between score and share of unsafe rows, over equal-width bins.

    In [0, 1], 0 is perfect (Guo et al., 2017). None without rows.
    """
    truth, values = as_arrays(labels, scores)
    if not truth.size:
        return None
    bin_of = np.minimum((values * bins).astype(int), bins - 1)
    gap_sums = np.bincount(bin_of, weights=values - truth.astype(np.float64), minlength=bins)
    return float(np.abs(gap_sums).sum() / truth.size)


def bootstrap(
    statistic: Statistic,
    labels: Sequence[bool] | Labels,
    scores: Sequence[float] | Scores,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """`statistic` on these rows with its percentile interval over resampled rows.

    Safe and unsafe rows are drawn apart, so that every resample has as many of each. The same seed gives the
    same interval. No interval where the statistic is undefined.
    """
    truth, values = as_arrays(labels, scores)
    value = statistic(truth, values)
    if value is None or not truth.size:
        return Interval(value, None, None, confidence)
    generator = np.random.default_rng(seed)
    groups = [rows for rows in (np.flatnonzero(truth), np.flatnonzero(~truth)) if rows.size]
    drawn: list[float] = []
    for _ in range(resamples):
        rows = np.concatenate([generator.choice(group, group.size) for group in groups])
        repeated = statistic(truth[rows], values[rows])
        if repeated is not None:
            drawn.append(repeated)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]) if drawn else (value, value)
    return Interval(value, float(low), float(high), confidence)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
