"""What was measured against a requirement, and how much more of it would settle the question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evaluators.base import Scale
from evaluators.load.saturation import Saturation
from evaluators.requirements import Bound
from evaluators.stats import (
    MINIMUM_ITEMS,
    Estimate,
    Interval,
    items_for_mean,
    items_for_rate,
    percentile_estimate,
    values_needed,
)
from evaluators.stats.estimate import DEFAULT_LEVEL
from evaluators.stats.quantile import effective_count
from evaluators.summary import ScoreSummary
from evaluators.timing import Latency, Origin, RequestClass, RequestTiming, latencies_ms

_SECONDS_PER_MINUTE = 60


class Measurement(Protocol):
    """An estimate that knows what it was counted in and how it would narrow."""

    @property
    def estimate(self) -> Estimate | None:
        """The value with its interval; None when nothing was measured."""
        ...

    @property
    def unit(self) -> str:
        """What more data would be more of: items, requests, windows."""
        ...

    def needed(self, limit: float) -> int | None:
        """How many units in all would put the limit outside the interval, if the value stays; None if none would."""
        ...

    def objection(self, limit: float, bound: Bound) -> str:
        """Why a pass cannot stand although the interval says so; empty when it can."""
        ...


@dataclass(frozen=True, slots=True)
class ScoreMeasurement:
    """The mean of an evaluator's scores."""

    summary: ScoreSummary
    scale: Scale
    unit: str = "items"

    @property
    def estimate(self) -> Estimate | None:
        """The summary's."""
        return self.summary.estimate

    def needed(self, limit: float) -> int | None:
        """By Wilson's interval for rates, else by the square root of the items."""
        estimate = self.estimate
        if estimate is None or estimate.interval is None:
            return MINIMUM_ITEMS
        if self.scale is not Scale.BINARY:
            return _items_for_mean(estimate, limit)
        needed = items_for_rate(estimate.value, limit, level=estimate.interval.level)
        # Repeated answers are worth more than one an item; single ones exactly one.
        return None if needed is None else max(estimate.count + 1, needed)

    def objection(self, limit: float, bound: Bound) -> str:
        """Items without a score must not be able to turn a pass round: counted against it, it must still hold."""
        estimate, missing = self.estimate, self.summary.missing_items
        if estimate is None or missing == 0 or self.scale is Scale.NUMBER:
            return ""
        worst_score = 0.0 if bound is Bound.AT_LEAST else 1.0
        worst = (estimate.value * estimate.count + worst_score * missing) / (estimate.count + missing)
        holds = worst >= limit if bound is Bound.AT_LEAST else worst <= limit
        return (
            "" if holds else f"{missing} items have no score; counted against it, the limit would be broken"
        )


@dataclass(frozen=True, slots=True)
class LatencyMeasurement:
    """A percentile of a latency over the OK requests of a run."""

    timings: Sequence[RequestTiming]
    latency: Latency
    percent: float
    origin: Origin
    level: float = DEFAULT_LEVEL
    unit: str = "requests"

    @property
    def estimate(self) -> Estimate | None:
        """The percentile; correlated requests count for what they are worth."""
        values = latencies_ms(self.timings, self.latency, self.origin)
        if values.size == 0:
            return None
        return percentile_estimate(values.tolist(), self.percent, self.level, is_time_series=True)

    def needed(self, limit: float) -> int | None:
        """By the share of requests beyond the limit, stretched by what a correlated request is worth."""
        values = latencies_ms(self.timings, self.latency, self.origin)
        if values.size == 0:
            return values_needed(0.0, self.percent, self.level)
        needed = values_needed(float(np.mean(values > limit)), self.percent, self.level)
        if needed is None:
            return None
        worth = effective_count(values, float(np.percentile(values, self.percent)))
        return max(values.size + 1, math.ceil(needed * values.size / worth))

    def objection(self, limit: float, bound: Bound) -> str:
        """Requests that failed or were cut off have no latency; counted as too slow, the limit must still hold."""
        values = latencies_ms(self.timings, self.latency, self.origin)
        lost = sum(t.outcome in (RequestClass.FAILED, RequestClass.TRUNCATED) for t in self.timings)
        beyond = (float(np.sum(values > limit)) + lost) / max(values.size + lost, 1)
        if lost == 0 or beyond <= 1 - self.percent / 100:
            return ""
        return f"{lost} requests failed or were cut off; counted as too slow, the limit would be broken"


@dataclass(frozen=True, slots=True)
class RunMeasurement:
    """A number of a whole run, such as throughput or cost, with the interval of its windows."""

    estimate: Estimate | None
    unit: str = "windows of this length"

    def needed(self, limit: float) -> int | None:
        """By the square root of the run's length."""
        if self.estimate is None or self.estimate.interval is None:
            return MINIMUM_ITEMS
        return _items_for_mean(self.estimate, limit)

    def objection(self, limit: float, bound: Bound) -> str:
        """None."""
        return ""


@dataclass(frozen=True, slots=True)
class SustainedRate:
    """The load a sweep showed to be sustained, in requests a minute; its interval is the sweep's bracket."""

    saturation: Saturation
    requests: int
    """Sent in the whole sweep."""
    unit: str = "requests"

    @property
    def estimate(self) -> Estimate | None:
        """From the highest sustained rate up to, and without, the lowest overloaded one."""
        low, high = self.saturation.sustained, self.saturation.overloaded
        if low is None and high is None:
            return None
        low_per_minute = 0.0 if low is None else low * _SECONDS_PER_MINUTE
        high_per_minute = math.inf if high is None else math.nextafter(high * _SECONDS_PER_MINUTE, 0.0)
        bracket = Interval(low_per_minute, high_per_minute, DEFAULT_LEVEL, "bracket of a load sweep")
        return Estimate(low_per_minute, bracket, self.requests, self.requests)

    def needed(self, limit: float) -> int | None:
        """None: not more requests settle it but a level at the limit."""
        return None

    def objection(self, limit: float, bound: Bound) -> str:
        """None."""
        return ""


def _items_for_mean(estimate: Estimate, limit: float) -> int | None:
    interval = estimate.interval
    if interval is None or not interval.is_bounded:
        # No width to go by: twice as much shows one.
        return 2 * estimate.count
    # The side towards the limit is the one that must shrink: skewed data have two different ones.
    half = interval.high - estimate.value if limit > estimate.value else estimate.value - interval.low
    needed = items_for_mean(half, estimate.count, estimate.value - limit)
    return None if needed is None else max(estimate.count + 1, needed)
