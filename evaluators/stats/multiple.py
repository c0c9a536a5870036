"""Several comparisons at once: keeping the chance of any false alarm where a single one has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.stats.estimate import as_floats


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjusted p-values (Holm 1979), in the order given.

    Compare each with the level a single comparison would have.

    Raises: ValueError for a value outside 0 ... 1.
    """
    array = as_floats(p_values)
    if np.any((array < 0) | (array > 1)):
        raise ValueError("p-values lie between 0 and 1")
    order = np.argsort(array, kind="stable")
    factors = np.arange(array.size, 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(array[order] * factors), 1.0)
    result = np.empty_like(array)
    result[order] = adjusted
    return tuple(float(value) for value in result)


def comparison_note(comparisons: int, level: float = 0.95) -> str:
    """One sentence for readers of several p-values or intervals; empty for a single one.

    Raises: ValueError when `comparisons` is below 1.
    """
    if comparisons < 1:
        raise ValueError("there is nothing to compare")
    if comparisons == 1:
        return ""
    chance = 1 - level**comparisons
    return (
        f"{comparisons} comparisons at {level:.0%} each: with no real difference anywhere, about "
        f"{chance:.0%} of such pages would show at least one. Holm's method "
        "adjusts the p-values for this, not the intervals."
    )
