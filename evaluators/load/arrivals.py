"""When requests are due: a rate over time, and points in time that follow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluators.stats.estimate import FloatArray

_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0}
_AMOUNT = r"(?P<amount>\d+(?:\.\d+)?|\.\d+)"
_RATE = re.compile(rf"{_AMOUNT}\s*(?:/\s*(?P<unit>s|sec|m|min|h|hour))?", re.IGNORECASE)
_DURATION = re.compile(rf"{_AMOUNT}\s*(?P<unit>s|sec|m|min|h|hour)?", re.IGNORECASE)


class Spacing(StrEnum):
    """How requests spread around the rate."""

    EVEN = "even"
    """As regular as the rate allows."""
    POISSON = "poisson"
    """Independent of each other, as people's requests are."""


@dataclass(frozen=True, slots=True)
class RateProfile:
    """Requests a second over time, linear between knots; two knots at one time are a jump.

    `times` are seconds from the start, ascending, the first 0 and the last the duration.

    Raises: ValueError for knots out of order, a negative rate, or a rate that is 0 throughout.
    """

    times: tuple[float, ...]
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuses profiles that no request could follow."""
        times, rates = np.array(self.times), np.array(self.rates)
        if times.size != rates.size or times.size < 2 or times[0] != 0 or np.any(np.diff(times) < 0):
            raise ValueError("a rate profile needs a rate for each of at least two ascending times from 0")
        if not np.all(np.isfinite(times)) or not np.all(np.isfinite(rates)) or np.any(rates < 0):
            raise ValueError("rates are finite and not negative")
        if self.expected_requests <= 0:
            raise ValueError("a rate profile must ask for something")

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.times[-1]

    @property
    def expected_requests(self) -> float:
        """How many requests it asks for, on average."""
        return float(self._cumulative()[-1])

    @property
    def peak_rate(self) -> float:
        """The highest rate, requests a second."""
        return max(self.rates)

    def time_of(self, requests: FloatArray) -> FloatArray:
        """When the expected number of requests reaches each of these, in seconds; 0 ... `expected_requests`."""
        times, rates, cumulative = np.array(self.times), np.array(self.rates), self._cumulative()
        segment = np.clip(np.searchsorted(cumulative, requests, side="right") - 1, 0, times.size - 2)
        width = times[segment + 1] - times[segment]
        rate, missing = rates[segment], requests - cumulative[segment]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(width > 0, (rates[segment + 1] - rate) / width, 0.0)
            # The root of rate x t + slope x t^2 / 2 = missing, written so that slope 0 needs no case of its
            # own.
            root = rate + np.sqrt(np.maximum(rate**2 + 2 * slope * missing, 0.0))
            inside = np.where(missing > 0, 2 * missing / root, 0.0)
        result: FloatArray = times[segment] + np.minimum(inside, width)
        return result

    def _cumulative(self) -> FloatArray:
        times, rates = np.array(self.times), np.array(self.rates)
        return np.concatenate([[0.0], np.cumsum(np.diff(times) * (rates[1:] + rates[:-1]) / 2)])


def constant(rate: float, duration_s: float) -> RateProfile:
    """The same rate throughout; requests a second."""
    return RateProfile((0.0, duration_s), (rate, rate))


def ramp(first_rate: float, last_rate: float, duration_s: float) -> RateProfile:
    """A rate that rises or falls steadily; requests a second."""
    return RateProfile((0.0, duration_s), (first_rate, last_rate))


def burst(
    rate: float, peak_rate: float, duration_s: float, *, period_s: float = 60.0, peak_s: float = 10.0
) -> RateProfile:
    """A rate with regular peaks, as in "10 a minute with peaks of 50".

    The rate is `peak_rate` for `peak_s` seconds in the middle of every `period_s`, else `rate`. A test shorter
    than a period is one whole period by itself.

    Raises: ValueError when the peak is lower than the rate, or does not fit its period.
    """
    period = min(period_s, duration_s)
    if peak_rate < rate:
        raise ValueError("a peak is not lower than the rate around it")
    if not 0 < peak_s < period:
        raise ValueError("a peak must be shorter than its period")
    times, rates = [0.0], [rate]
    before = (period - peak_s) / 2
    start = 0.0
    while start + before < duration_s:
        rise, fall = start + before, min(start + before + peak_s, duration_s)
        times += [rise, rise, fall, fall]
        rates += [rate, peak_rate, peak_rate, rate]
        start += period
    return RateProfile((*times, duration_s), (*rates, rate))


def arrival_times(profile: RateProfile, spacing: Spacing = Spacing.POISSON, *, seed: int = 0) -> FloatArray:
    """When each request is due, in seconds from the start, ascending.

    Poisson arrivals are unit-rate ones carried through the inverse of the expected count (time change
    theorem, e.g. Cinlar 1975); the same seed gives the same times. Even ones begin at 0.
    """
    expected = profile.expected_requests
    if spacing is Spacing.EVEN:
        # A count that rounding put a hair above a whole number would add a request at the very end.
        return profile.time_of(np.arange(np.ceil(expected - 1e-9), dtype=np.float64))
    rng = np.random.default_rng(seed)
    draws = int(expected + 10 * np.sqrt(expected) + 20)
    points = np.cumsum(rng.exponential(size=draws))
    return profile.time_of(points[points < expected])


def parse_rate(text: str) -> float:
    """Requests a second from "10/min", "2/s", "600/h" or "2" (a second).

    Raises: ValueError for anything else.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None or float(match["amount"]) <= 0:
        raise ValueError("a rate is written like 10/min, 2/s or 600/h")
    return float(match["amount"]) / _SECONDS[(match["unit"] or "s").lower()]


def parse_duration(text: str) -> float:
    """Seconds from "60s", "5min", "1h" or "90".

    Raises: ValueError for anything else.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match["amount"]) <= 0:
        raise ValueError("a duration is written like 60s, 5min or 1h")
    return float(match["amount"]) * _SECONDS[(match["unit"] or "s").lower()]
