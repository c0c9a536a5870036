"""Percentiles with intervals that assume no shape of the distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evaluators.stats.binomial import binomial_cdf
from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, as_floats, two_sided_z


def percentile(values: npt.ArrayLike, percent: float) -> float:
    """The percentile by linear interpolation, as numpy's default; `percent` in 0 ... 100.

    Raises: ValueError without values.
    """
    array = as_floats(values)
    if array.size == 0:
        raise ValueError("no percentile without values")
    return float(np.percentile(array, percent))


def rank_position(count: int, probability: float, tail: float) -> float:
    """The fractional rank (1 ... count) that lies above the quantile with probability `tail`.

    Between order statistics the rank is interpolated (Hettmansperger & Sheather 1986 for the median, Nyblom
    1992 for any quantile), so that the level is met closely and not only from above. Infinite, with its sign,
    where even the smallest or largest value does not reach so far: too little data for that side.
    """
    # reach[r] is the probability that the r-th smallest value lies above the quantile.
    reach = np.concatenate([[0.0], binomial_cdf(count, probability)])
    rank = int(np.searchsorted(reach, tail, side="right")) - 1
    if rank < 1:
        return -math.inf
    if rank >= count:
        return math.inf
    over = tail - reach[rank]
    if over <= 0:
        return float(rank)
    odds = rank * (1 - probability) * (reach[rank + 1] - tail) / ((count - rank) * probability * over)
    return rank + 1 / (1 + float(odds))


def value_at_rank(ordered: FloatArray, rank: float) -> FloatArray:
    """The value at a fractional rank (1 is the smallest) of rows sorted along the last axis."""
    if math.isinf(rank):
        return np.full(ordered.shape[:-1], rank)
    below = int(rank)
    step = rank - below
    low, high = ordered[..., below - 1], ordered[..., min(below, ordered.shape[-1] - 1)]
    result: FloatArray = low + (high - low) * step
    return result


def effective_count(values: FloatArray, quantile: float) -> int:
    """How many independent values this series, in time order, is worth for a percentile near `quantile`.

    Requests that queue behind the same slow one are slow together. The series "at or below the percentile:
    yes or no" is correlated in time, and n / (1 + 2 x sum of its autocorrelations) is what it is worth; the
    sum stops where pairs of autocorrelations stop falling and being positive (Geyer 1992, initial monotone
    sequence).
    """
    count = values.size
    centred = (values <= quantile).astype(np.float64)
    centred -= centred.mean()
    power = float(centred @ centred)
    if power == 0.0 or count < 4:
        return count
    spectrum = np.fft.rfft(centred, 2 * count)
    correlations = np.fft.irfft(spectrum * spectrum.conj())[:count] / power
    pairs = correlations[1 : count - 1 : 2] + correlations[2:count:2]
    stop = int(np.argmax(pairs <= 0)) if np.any(pairs <= 0) else pairs.size
    design_effect = 1.0 + 2.0 * float(np.minimum.accumulate(pairs[:stop]).sum()) if stop else 1.0
    return max(1, int(count / max(1.0, design_effect)))


def percentile_interval(
    values: npt.ArrayLike, percent: float, level: float = DEFAULT_LEVEL, *, is_time_series: bool = False
) -> Interval:
    """Where the population's percentile lies; a side the sample cannot reach is infinite.

    A two-sided 95 % interval for the 95th percentile is bounded above from 72 independent values on. With
    `is_time_series` the values are in time order and count for what `effective_count` finds them worth.

    Raises: ValueError without values, or unless 0 < percent < 100.
    """
    array = as_floats(values)
    if array.size == 0 or not 0.0 < percent < 100.0:
        raise ValueError("a percentile's interval needs values and a percentile strictly between 0 and 100")
    two_sided_z(level)
    probability = percent / 100
    worth = effective_count(array, float(np.percentile(array, percent))) if is_time_series else array.size
    ordered = np.sort(array)
    ends: list[float] = []
    for tail in (0.5 - level / 2, 0.5 + level / 2):
        rank = rank_position(worth, probability, tail)
        if math.isfinite(rank) and worth < array.size:
            rank = min(max(rank / (worth + 1) * (array.size + 1), 1.0), float(array.size))
        ends.append(float(value_at_rank(ordered, rank)))
    method = "order statistics"
    if worth < array.size:
        method = f"order statistics, {array.size} correlated values worth {worth}"
    return Interval(ends[0], ends[1], level, method)


def percentile_estimate(
    values: Sequence[float], percent: float, level: float = DEFAULT_LEVEL, *, is_time_series: bool = False
) -> Estimate:
    """The percentile with its interval."""
    interval = percentile_interval(values, percent, level, is_time_series=is_time_series)
    value = percentile(values, percent)
    # The two interpolations differ by a fraction of a gap; the estimate stays inside its interval.
    inside = Interval(min(interval.low, value), max(interval.high, value), level, interval.method)
    return Estimate(value, inside, len(values), len(values))


def values_needed(
    share_beyond: float, percent: float, level: float = DEFAULT_LEVEL, *, most: int = 100_000
) -> int | None:
    """About how many values would settle a percentile against a limit if the share beyond it stays.

    `share_beyond` is the observed share above the limit. Below 1 - percent/100 the sample would show that the
    percentile keeps the limit; above, that it does not. None when the share sits on the limit or more than
    `most` would be needed.
    """
    allowed = 1 - percent / 100
    tail = 0.5 - level / 2
    low, high = 1, most
    if not _settles(high, share_beyond, allowed, tail):
        return None
    while low < high:
        middle = (low + high) // 2
        if _settles(middle, share_beyond, allowed, tail):
            high = middle
        else:
            low = middle + 1
    return low


def _settles(count: int, share: float, allowed: float, tail: float) -> bool:
    cdf = binomial_cdf(count, allowed)
    beyond = round(share * count)
    if share < allowed:
        return bool(cdf[beyond] <= tail)
    return beyond > 0 and bool(1 - cdf[beyond - 1] <= tail)
