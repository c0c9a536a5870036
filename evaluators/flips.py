"""Whether a candidate still says the same when it is asked beside many others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluators.base import Scale
from evaluators.stats import Estimate, PairedComparison, compare_means, compare_rates, rate_estimate


@dataclass(frozen=True, slots=True)
class Said:
    """One item's answer: a hash of it ("" where there is none) and its score (None where there is none)."""

    answer_sha256: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Flips:
    """A level held against the level of one item at a time."""

    answers: Estimate | None
    """The share of items whose answer differs; None where no item was answered at both."""
    scores: PairedComparison | None
    """Score at this level minus score alone, over the items scored at both; None without any."""
    lost: int
    """Items answered alone and not at this level."""


def flips(alone: Mapping[str, Said], beside: Mapping[str, Said], scale: Scale) -> Flips:
    """What changes from `alone` to `beside`, both from item to what was said.

    The interval of the flip rate is Wilson's; the score change is paired by item.
    """
    answered = [item for item, said in alone.items() if said.answer_sha256]
    both = [item for item in answered if item in beside and beside[item].answer_sha256]
    changed = [np.array([float(alone[item].answer_sha256 != beside[item].answer_sha256)]) for item in both]
    scored = [
        ([first], [second])
        for item in both
        if (first := alone[item].value) is not None and (second := beside[item].value) is not None
    ]
    compare = compare_rates if scale is Scale.BINARY else compare_means
    return Flips(
        rate_estimate(changed) if changed else None,
        compare([second for _, second in scored], [first for first, _ in scored]) if scored else None,
        len(answered) - len(both),
    )
