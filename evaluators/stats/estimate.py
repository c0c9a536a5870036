"""A number with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

DEFAULT_LEVEL = 0.95
"""Two-sided confidence of every interval unless a caller asks for another."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval; a side the data cannot bound is infinite."""

    low: float
    high: float
    level: float
    method: str

    def __post_init__(self) -> None:
        """Refuses an interval that is upside down or not a number."""
        if not self.low <= self.high:
            raise ValueError(f"an interval from {self.low} to {self.high} is empty")

    @property
    def is_bounded(self) -> bool:
        """Whether both sides are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was measured: `value` in the metric's own unit, with its interval.

    `count` is the number of independent units behind it (items, requests, time windows), `observations` the
    number of raw values (items x repeats). `interval` is None when there is too little data to speak of
    uncertainty at all.
    """

    value: float
    interval: Interval | None
    count: int
    observations: int


def normal_quantile(probability: float) -> float:
    """The standard normal's quantile, e.g. 1.96 at 0.975."""
    return NormalDist().inv_cdf(probability)


def two_sided_z(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches, e.g. 1.96 at 0.95.

    Raises: ValueError unless 0 < level < 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies between 0 and 1, not at {level}")
    return normal_quantile(0.5 + level / 2)


def as_floats(values: npt.ArrayLike) -> FloatArray:
    """The values as a float64 array.

    Raises: ValueError when one of them is not finite: unscored values are left out by the caller, never
    averaged.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise ValueError("values must be finite; leave unscored ones out")
    return array
