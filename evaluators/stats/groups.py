"""The difference between two groups of different items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluators.stats.bootstrap import DEFAULT_RESAMPLES, DEFAULT_SEED, MINIMUM_ITEMS, resample_counts
from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, as_floats, two_sided_z


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """First group's mean minus the second's; `p_value` is two-sided for "no difference"."""

    difference: Estimate
    p_value: float


def compare_groups(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> GroupComparison:
    """A bootstrap-t interval (Efron & Tibshirani 1993, chapter 16) and a permutation test by Welch's t.

    Below `MINIMUM_ITEMS` in a group, or without any spread, there is no interval.

    Raises: ValueError for an empty group or a value that is not finite.
    """
    two_sided_z(level)
    one, other = as_floats(first), as_floats(second)
    if one.size == 0 or other.size == 0:
        raise ValueError("a difference needs both groups")
    value, count = float(one.mean() - other.mean()), int(one.size + other.size)
    has_spread = bool(np.ptp(one) or np.ptp(other))
    if min(one.size, other.size) < MINIMUM_ITEMS or not has_spread:
        return GroupComparison(Estimate(value, None, count, count), 1.0)
    rng = np.random.default_rng(seed)
    first_draw = _resampled(one - one.mean(), resamples, rng)
    second_draw = _resampled(other - other.mean(), resamples, rng)
    t = (first_draw[0] - second_draw[0]) / np.sqrt(first_draw[1] + second_draw[1])
    error = float(np.sqrt(_squared_error(one) + _squared_error(other)))
    high, low = np.quantile(t[np.isfinite(t)], [0.5 - level / 2, 0.5 + level / 2])
    interval = Interval(value - low * error, value - high * error, level, "bootstrap of two groups")
    return GroupComparison(
        Estimate(value, interval, count, count), _permutation_p(one, other, value / error, resamples, rng)
    )


def _squared_error(values: FloatArray) -> float:
    return float(values.var(ddof=1)) / values.size


def _resampled(
    centred: FloatArray, resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mean and squared standard error of each resample."""
    counts = resample_counts(centred.size, resamples, rng)
    mean = counts @ centred / centred.size
    variance = np.maximum(counts @ centred**2 / centred.size - mean**2, 0.0)
    return mean, variance / (centred.size - 1)


def _permutation_p(
    one: FloatArray, other: FloatArray, observed: float, resamples: int, rng: np.random.Generator
) -> float:
    """The share of ways to split the items that differ as much; the observed split counts as one of them."""
    pooled = np.concatenate([one, other])
    shuffled = rng.permuted(np.tile(pooled, (resamples, 1)), axis=1)
    left, right = shuffled[:, : one.size], shuffled[:, one.size :]
    error = np.sqrt(left.var(axis=1, ddof=1) / one.size + right.var(axis=1, ddof=1) / other.size)
    gap = left.mean(axis=1) - right.mean(axis=1)
    t = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    return float((1 + np.sum(np.abs(t) >= abs(observed) - 1e-12)) / (1 + resamples))
