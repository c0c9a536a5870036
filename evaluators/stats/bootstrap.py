"""Bootstrap intervals for a mean, by resampling items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, as_floats, two_sided_z
from evaluators.stats.proportion import wilson

DEFAULT_RESAMPLES = 2000
DEFAULT_SEED = 0

MINIMUM_ITEMS = 10
"""Below this many items a resample cannot stand for the population, and no interval is given.

Of values that are mostly the same one, so many must differ from it: resamples often miss what is rare.
"""

_RELATIVE_ROUNDING = 1e-12
_CELLS_AT_ONCE = 4_000_000


class Bounds(NamedTuple):
    """Low and high ends, one a row of the input."""

    low: FloatArray
    high: FloatArray


def resample_counts(items: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each item is drawn in each resample: [resamples, items], every row adds up to `items`."""
    draws = rng.integers(items, size=(resamples, items))
    flat = draws + np.arange(resamples)[:, None] * items
    counts = np.bincount(flat.ravel(), minlength=resamples * items)
    return counts.reshape(resamples, items).astype(np.float64)


def studentized_bounds(
    values: FloatArray,
    *,
    level: float = DEFAULT_LEVEL,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> Bounds:
    """Bootstrap-t ends for the mean of each row of `values` [rows, items].

    Each resample's mean is measured in its own standard errors (Efron & Tibshirani 1993, chapter 12.5), which
    keeps the level for skewed values where percentile intervals are too short. Resamples without spread say
    nothing and are left out; a row with fewer than half of its resamples left gets infinite ends. The same
    resamples serve every row.
    """
    two_sided_z(level)
    items = values.shape[-1]
    mean, sem = values.mean(axis=-1), values.std(axis=-1, ddof=1) / np.sqrt(items)
    centred = values - mean[:, None]
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS_AT_ONCE // items)
    parts: list[FloatArray] = []
    for start in range(0, resamples, size):
        counts = resample_counts(items, min(size, resamples - start), rng)
        parts.append(_studentized_means(centred, sem, counts))
    t = np.concatenate(parts, axis=-1)
    low, high = np.full(mean.shape, -np.inf), np.full(mean.shape, np.inf)
    usable = np.isfinite(t).mean(axis=-1) >= 0.5
    if np.any(usable):
        tails = np.nanquantile(t[usable], [0.5 + level / 2, 0.5 - level / 2], axis=-1)
        low[usable] = mean[usable] - tails[0] * sem[usable]
        high[usable] = mean[usable] - tails[1] * sem[usable]
    return Bounds(low, high)


def _studentized_means(centred: FloatArray, sem: FloatArray, counts: FloatArray) -> FloatArray:
    """Each resample's mean in its own standard errors, [rows, resamples]; NaN where it has no spread."""
    items = centred.shape[-1]
    shift = centred @ counts.T / items
    variance = np.maximum((centred**2) @ counts.T / items - shift**2, 0.0)
    resample_sem = np.sqrt(variance / (items - 1))
    has_spread = resample_sem > _RELATIVE_ROUNDING * sem[:, None]
    t: FloatArray = np.divide(shift, resample_sem, out=np.full_like(shift, np.nan), where=has_spread)
    return t


def item_means(values: Sequence[npt.ArrayLike]) -> FloatArray:
    """Each item's mean over its repeats: repeats of one item are not independent, items are.

    Raises: ValueError when there is no item or an item has no value.
    """
    arrays = [as_floats(repeats).ravel() for repeats in values]
    if not arrays or any(array.size == 0 for array in arrays):
        raise ValueError("a mean needs at least one item, and each item at least one value")
    return np.array([array.mean() for array in arrays])


def mean_estimate(
    values: Sequence[npt.ArrayLike],
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> Estimate:
    """The mean over items with a bootstrap-t interval; `values` holds each item's repeats.

    Whole items are resampled, so repeats widen nothing and narrow only what they really tell. The interval is
    None below MINIMUM_ITEMS items, and where all items are equal: no spread seen is not the same as none
    there.
    """
    means = item_means(values)
    observations = sum(np.size(repeats) for repeats in values)
    interval = None
    if means.size >= MINIMUM_ITEMS and float(np.ptp(means)) > 0:
        low, high = studentized_bounds(means[None, :], level=level, resamples=resamples, seed=seed)
        method = "bootstrap-t" if observations == means.size else "bootstrap-t, clustered by item"
        interval = Interval(float(low[0]), float(high[0]), level, method)
    return Estimate(float(means.mean()), interval, int(means.size), observations)


def share_estimate(
    values: Sequence[npt.ArrayLike],
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> Estimate:
    """As `mean_estimate`, for values from 0 to 1: the interval stays within them, and is there for rare ones too.

    No values from 0 to 1 spread more around their mean than zeros and ones do, so Wilson's interval for a rate of
    that mean is never too short. It is the interval where fewer than MINIMUM_ITEMS items differ from the commonest
    value, and elsewhere what the other may not leave.
    """
    means = item_means(values)
    estimate = mean_estimate(values, level, resamples=resamples, seed=seed)
    if means.size < MINIMUM_ITEMS:
        return estimate
    widest = wilson(float(np.clip(means.mean(), 0.0, 1.0)) * means.size, means.size, level)
    if estimate.interval is None or _differing(means) < MINIMUM_ITEMS:
        return replace(estimate, interval=widest)
    low, high = max(estimate.interval.low, widest.low), min(estimate.interval.high, widest.high)
    return replace(estimate, interval=replace(estimate.interval, low=low, high=high))


def _differing(means: FloatArray) -> int:
    """How many items have another value than the commonest."""
    _, counts = np.unique(means, return_counts=True)
    return int(means.size - counts.max())
