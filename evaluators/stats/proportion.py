"""Intervals for a rate: the share of items for which something is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, as_floats, two_sided_z


def wilson_bounds(rate: FloatArray, count: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Low and high ends of Wilson's score interval (Wilson 1927), elementwise; `count` > 0."""
    z = two_sided_z(level)
    shrink = 1.0 + z**2 / count
    centre = (rate + z**2 / (2 * count)) / shrink
    half = z / shrink * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def wilson(successes: float, count: float, level: float = DEFAULT_LEVEL) -> Interval:
    """Wilson's interval for `successes` out of `count`; it keeps its width at 0 % and 100 %.

    Raises: ValueError unless 0 <= successes <= count and count > 0.
    """
    if count <= 0 or not 0 <= successes <= count:
        raise ValueError(f"{successes} of {count} is not a proportion")
    low, high = wilson_bounds(np.array([successes / count]), np.array([float(count)]), level)
    # Rounding must not push the point estimate out of its own interval.
    rate = successes / count
    return Interval(min(float(low[0]), rate), max(float(high[0]), rate), level, "Wilson")


def effective_count(item_rates: FloatArray, repeats: FloatArray) -> FloatArray:
    """How many independent yes/no answers repeated items are worth, along the last axis.

    `item_rates` [..., items] is each item's share of yes over its repeats. Repeats of one item agree more
    than answers to different items, so n items asked k times are worth between n and n x k answers (design
    effect, Kish 1965, used with Wilson's interval as in Dean & Pagano 2015). Where the spread cannot be seen,
    only the items count.
    """
    items = item_rates.shape[-1]
    rate = item_rates.mean(axis=-1)
    spread = item_rates.var(axis=-1, ddof=1) / items
    total = np.broadcast_to(repeats, item_rates.shape).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = rate * (1 - rate) / spread
    seen = np.isfinite(worth) & (spread > 0) & (rate > 0) & (rate < 1)
    result: FloatArray = np.where(seen, np.clip(worth, items, np.maximum(total, items)), float(items))
    return result


def rate_estimate(values: list[FloatArray], level: float = DEFAULT_LEVEL) -> Estimate:
    """The rate of yes with Wilson's interval; `values` holds each item's repeats as zeros and ones.

    Every item weighs the same, however often it was repeated.

    Raises: ValueError when there is no item, an item has no value, or a value is not 0 or 1.
    """
    if not values or any(repeats.size == 0 for repeats in values):
        raise ValueError("a rate needs at least one item, and each item at least one value")
    pooled = as_floats(np.concatenate(values))
    if not np.all((pooled == 0) | (pooled == 1)):
        raise ValueError("a rate is made of zeros and ones")
    rates = np.array([repeats.mean() for repeats in values])
    rate = float(rates.mean())
    if pooled.size == rates.size:
        worth, method = float(rates.size), "Wilson"
    elif rates.size == 1:
        # One item repeated says nothing about other items.
        return Estimate(rate, None, 1, int(pooled.size))
    else:
        repeats = np.array([float(repeats.size) for repeats in values])
        worth, method = float(effective_count(rates, repeats)), "Wilson, clustered by item"
    interval = wilson(rate * worth, worth, level)
    return Estimate(rate, replace(interval, method=method), int(rates.size), int(pooled.size))
