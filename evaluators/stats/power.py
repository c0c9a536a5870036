"""How much data a question needs: what difference could be seen, and how many more items would settle it."""

from __future__ import annotations

import math

from evaluators.stats.estimate import DEFAULT_LEVEL, normal_quantile, two_sided_z
from evaluators.stats.proportion import wilson

DEFAULT_POWER = 0.8
MOST_ITEMS = 1_000_000
"""Beyond this many items a question counts as not worth settling by sampling."""


def minimum_detectable_difference(
    spread: float, items: int, *, level: float = DEFAULT_LEVEL, power: float = DEFAULT_POWER
) -> float:
    """The true mean difference that a two-sided test over `items` pairs would find with this power.

    `spread` is the standard deviation of one item's difference, in the metric's unit; the result is in it
    too. Normal approximation: (z of the level + z of the power) x spread / sqrt(items) (Cohen 1988).

    Raises: ValueError for a negative spread, no items, or a power outside 0 ... 1.
    """
    if spread < 0 or items < 1 or not 0.0 < power < 1.0:
        raise ValueError("needs a spread >= 0, at least one item and a power between 0 and 1")
    return (two_sided_z(level) + normal_quantile(power)) * spread / math.sqrt(items)


def items_for_difference(
    spread: float, difference: float, *, level: float = DEFAULT_LEVEL, power: float = DEFAULT_POWER
) -> int | None:
    """How many paired items would find a true difference of this size with this power; None when it is 0.

    Raises: as `minimum_detectable_difference`.
    """
    if difference == 0:
        return None
    ratio = minimum_detectable_difference(spread, 1, level=level, power=power) / abs(difference)
    return max(2, math.ceil(ratio**2))


def items_for_mean(half_width: float, items: int, margin: float) -> int | None:
    """How many items would shrink an interval of this half width, seen at `items`, until it clears the limit.

    `margin` is the distance from the estimate to the limit. Widths shrink with the square root of the items.
    None when the estimate sits on the limit, or more than MOST_ITEMS would be needed.

    Raises: ValueError for a negative width or no items.
    """
    if half_width < 0 or items < 1:
        raise ValueError("needs a half width >= 0 and at least one item")
    if margin == 0:
        return None
    ratio = half_width / abs(margin)
    return math.floor(items * ratio**2) + 1 if ratio**2 <= MOST_ITEMS / items else None


def items_for_rate(rate: float, limit: float, *, level: float = DEFAULT_LEVEL) -> int | None:
    """How many yes/no items would put the limit outside Wilson's interval, if the rate stays where it is.

    None when the rate sits on the limit or more than MOST_ITEMS would be needed.

    Raises: ValueError for a rate or limit outside 0 ... 1.
    """
    if not (0.0 <= rate <= 1.0 and 0.0 <= limit <= 1.0):
        raise ValueError("a rate and its limit lie between 0 and 1")
    if rate == limit or _holds(rate, limit, MOST_ITEMS, level):
        return None
    low, high = 1, MOST_ITEMS
    while low < high:
        middle = (low + high) // 2
        if _holds(rate, limit, middle, level):
            low = middle + 1
        else:
            high = middle
    return low


def _holds(rate: float, limit: float, count: int, level: float) -> bool:
    return limit in wilson(rate * count, count, level)
