"""Differences between two candidates that answered the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evaluators.stats.binomial import binomial_pmf
from evaluators.stats.bootstrap import (
    DEFAULT_RESAMPLES,
    DEFAULT_SEED,
    MINIMUM_ITEMS,
    item_means,
    mean_estimate,
)
from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, as_floats, two_sided_z

DEFAULT_FLIPS = 10_000
_FLIPS_AT_ONCE = 1000
_TIE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """First candidate minus second, over the items both answered.

    `difference` is in the metric's unit. `p_value` is two-sided for "no difference", from `test`. `flipped`
    is the number of items whose score differs at all.
    """

    difference: Estimate
    p_value: float
    test: str
    flipped: int


def mcnemar(first_only: int, second_only: int) -> float:
    """The exact two-sided p-value that two yes/no rates on the same items are equal (McNemar 1947).

    `first_only` items only the first got right, `second_only` only the second; under no difference each such
    item falls either way with probability 1/2.

    Raises: ValueError for negative counts.
    """
    if first_only < 0 or second_only < 0:
        raise ValueError("counts of items cannot be negative")
    discordant = first_only + second_only
    if discordant == 0:
        return 1.0
    lower_tail = float(binomial_pmf(discordant, 0.5)[: min(first_only, second_only) + 1].sum())
    return min(1.0, 2 * lower_tail)


def sign_flip_test(
    differences: npt.ArrayLike, *, flips: int = DEFAULT_FLIPS, seed: int = DEFAULT_SEED
) -> float:
    """The two-sided p-value that paired differences are symmetric about zero, by random sign flips.

    The observed arrangement counts as one of the flips, so the value is never 0 (Phipson & Smyth 2010).

    Raises: ValueError without differences.
    """
    array = as_floats(differences)
    if array.size == 0:
        raise ValueError("no test without differences")
    moved = array[array != 0]
    if moved.size == 0:
        return 1.0
    rng = np.random.default_rng(seed)
    observed = abs(float(moved.sum()))
    as_extreme = 0
    for start in range(0, flips, _FLIPS_AT_ONCE):
        signs = rng.integers(0, 2, size=(min(_FLIPS_AT_ONCE, flips - start), moved.size)) * 2.0 - 1.0
        as_extreme += int(np.count_nonzero(np.abs(signs @ moved) >= observed * (1 - _TIE_TOLERANCE)))
    return (as_extreme + 1) / (flips + 1)


def rate_difference_bounds(
    differences: FloatArray, repeats: float, level: float = DEFAULT_LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Ends of the adjusted Wald interval for two rates on the same items, rows [..., items].

    Two made-up answers are added, one for each side (Bonett & Price 2012); with `repeats` answers an item
    they weigh 1 / repeats of an item each. Unlike a bootstrap it stays honest when only a few items differ.
    """
    items = differences.shape[-1]
    weight = 1.0 / repeats
    total = items + 2 * weight
    mean = differences.sum(axis=-1) / total
    variance = ((differences**2).sum(axis=-1) + 2 * weight) / total - mean**2
    half = two_sided_z(level) * np.sqrt(variance / total)
    return np.maximum(mean - half, -1.0), np.minimum(mean + half, 1.0)


def compare_rates(
    first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike], level: float = DEFAULT_LEVEL
) -> PairedComparison:
    """The difference of two yes/no rates.

    Position i of both is the same item, each with its repeats (zeros and ones). The test is McNemar's where
    every item was asked once, else sign flips of the item means.

    Raises: ValueError when the items do not match up or a value is not 0 or 1.
    """
    differences = _item_differences(first, second)
    pooled = np.concatenate([as_floats(repeats).ravel() for repeats in (*first, *second)])
    if not np.all((pooled == 0) | (pooled == 1)):
        raise ValueError("rates are made of zeros and ones")
    repeats = pooled.size / (2 * differences.size)
    low, high = rate_difference_bounds(differences, repeats, level)
    value = float(differences.mean())
    interval = Interval(min(float(low), value), max(float(high), value), level, "adjusted Wald for pairs")
    if repeats == 1:
        wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
        p_value, test = mcnemar(wins, losses), "McNemar, exact"
    else:
        p_value, test = sign_flip_test(differences), "sign flips, clustered by item"
    estimate = Estimate(value, interval, int(differences.size), int(pooled.size) // 2)
    return PairedComparison(estimate, p_value, test, int(np.count_nonzero(differences)))


def compare_means(
    first: Sequence[npt.ArrayLike],
    second: Sequence[npt.ArrayLike],
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> PairedComparison:
    """The difference of two means by a paired bootstrap-t over items, tested by sign flips.

    Position i of both is the same item, each with its repeats.

    Raises: ValueError when the items do not match up.
    """
    differences = _item_differences(first, second)
    estimate = mean_estimate(differences.tolist(), level, resamples=resamples, seed=seed)
    return PairedComparison(
        estimate, sign_flip_test(differences, seed=seed), "sign flips", int(np.count_nonzero(differences))
    )


def compare_shares(
    first: Sequence[npt.ArrayLike],
    second: Sequence[npt.ArrayLike],
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> PairedComparison:
    """As `compare_means`, for values from 0 to 1: the interval stays within -1 to 1.

    Where fewer than MINIMUM_ITEMS items differ resamples often miss them, and the interval is that of `compare_rates`.

    Raises: ValueError when the items do not match up.
    """
    compared = compare_means(first, second, level, resamples=resamples, seed=seed)
    differences, estimate = _item_differences(first, second), compared.difference
    if differences.size < MINIMUM_ITEMS:
        return compared
    if estimate.interval is None or compared.flipped < MINIMUM_ITEMS:
        ends, method = rate_difference_bounds(differences, 1.0, level), "adjusted Wald for pairs"
    else:
        ends = np.array(max(estimate.interval.low, -1.0)), np.array(min(estimate.interval.high, 1.0))
        method = estimate.interval.method
    interval = Interval(
        min(float(ends[0]), estimate.value), max(float(ends[1]), estimate.value), level, method
    )
    return replace(compared, difference=replace(estimate, interval=interval))


def _item_differences(first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]) -> FloatArray:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} items are not pairs")
    return item_means(first) - item_means(second)
