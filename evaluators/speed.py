"""What many requests add up to: latency tables, throughput, goodput, and what a million tokens cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluators.stats import Estimate, mean_estimate, percentile_estimate
from evaluators.stats.estimate import DEFAULT_LEVEL, FloatArray
from evaluators.timing import Latency, Origin, RequestClass, RequestTiming, latencies_ms

PERCENTS = (50.0, 90.0, 95.0, 99.0)
SECONDS_PER_HOUR = 3600
_WINDOWS = 12


@dataclass(frozen=True, slots=True)
class Distribution:
    """A latency's spread in milliseconds; percentiles by linear interpolation. None without values."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


def distribution(values: FloatArray) -> Distribution:
    """The spread of these values, always with their count."""
    if values.size == 0:
        return Distribution(0, None, None, None, None, None)
    p50, p90, p95, p99 = (float(value) for value in np.percentile(values, PERCENTS))
    return Distribution(int(values.size), float(values.mean()), p50, p90, p95, p99)


def latency_table(timings: Sequence[RequestTiming], origin: Origin = Origin.SENT) -> pd.DataFrame:
    """One row a latency (index: its name), columns count, mean, p50, p90, p95, p99; milliseconds, OK requests."""
    spreads = {latency.value: distribution(latencies_ms(timings, latency, origin)) for latency in Latency}
    columns = ["count", "mean", "p50", "p90", "p95", "p99"]
    rows = {name: [getattr(spread, column) for column in columns] for name, spread in spreads.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.astype({"count": "int64"} | dict.fromkeys(columns[1:], "float64"))


def latency_percentile(
    timings: Sequence[RequestTiming],
    latency: Latency,
    percent: float,
    *,
    origin: Origin = Origin.SENT,
    level: float = DEFAULT_LEVEL,
) -> Estimate | None:
    """A latency's percentile with an interval that knows that queued requests are slow together; None without any.

    Raises: ValueError for ITL, whose gaps come in bundles of one request and have no such interval.
    """
    if latency is Latency.ITL:
        raise ValueError("inter-token gaps are not independent: use TPOT, one value a request")
    values = latencies_ms(timings, latency, origin)
    if values.size == 0:
        return None
    return percentile_estimate(values.tolist(), percent, level, is_time_series=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request must keep to be a good one; None does not limit."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    end_to_end_ms: float | None = None

    def are_met_by(self, timing: RequestTiming, origin: Origin = Origin.SENT) -> bool:
        """Whether this request was OK and kept all limits; one token has no TPOT and cannot break its limit."""
        if timing.outcome is not RequestClass.OK:
            return False
        pairs = (
            (self.ttft_ms, timing.latency_ms(Latency.TTFT, origin)),
            (self.end_to_end_ms, timing.latency_ms(Latency.END_TO_END, origin)),
        )
        if any(limit is not None and (value is None or value > limit) for limit, value in pairs):
            return False
        tpot = timing.latency_ms(Latency.TPOT)
        return self.tpot_ms is None or tpot is None or tpot <= self.tpot_ms


@dataclass(frozen=True, slots=True)
class Span:
    """A run's wall time, in seconds on the clock of its requests."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def run_span(timings: Sequence[RequestTiming]) -> Span:
    """From the first request's schedule to the last request's end.

    Raises: ValueError without requests, or when they took no time.
    """
    if not timings:
        raise ValueError("a run without requests has no wall time")
    span = Span(min(t.scheduled for t in timings), max(t.end for t in timings))
    if span.seconds <= 0:
        raise ValueError("a run must take time")
    return span


def goodput(
    timings: Sequence[RequestTiming], limits: Limits, span: Span, origin: Origin = Origin.SENT
) -> float:
    """Requests a second that met all limits, over the wall time of the run."""
    return sum(limits.are_met_by(t, origin) for t in timings) / span.seconds


def output_throughput(timings: Sequence[RequestTiming], span: Span) -> float:
    """Output tokens a second: tokens of all requests, whatever their class, over the wall time of the run."""
    return sum(t.output_tokens for t in timings) / span.seconds


def output_throughput_estimate(
    timings: Sequence[RequestTiming], span: Span, level: float = DEFAULT_LEVEL
) -> Estimate:
    """Output tokens a second with an interval from the spread between equal windows of the run (batch means).

    It says how steady this run was; another day's or another load's throughput it does not know. Windows much
    longer than a request are nearly independent: let the run last at least twenty requests' time.
    """
    times = [np.asarray(_token_moments(t), dtype=np.float64) for t in timings]
    edges = np.linspace(span.start, span.end, _WINDOWS + 1)
    counts, _ = np.histogram(np.concatenate(times) if times else np.empty(0), bins=edges)
    estimate = mean_estimate((counts / (span.seconds / _WINDOWS)).tolist(), level)
    return Estimate(
        output_throughput(timings, span),
        estimate.interval,
        estimate.count,
        sum(t.output_tokens for t in timings),
    )


def _token_moments(timing: RequestTiming) -> tuple[float, ...]:
    """When its tokens came; those without a time of their own came with the last byte."""
    return timing.token_times + (timing.end,) * (timing.output_tokens - len(timing.token_times))


def cost_per_million_tokens(price_per_hour: float, tokens_per_second: float) -> float:
    """What a million output tokens cost on a machine of this price, at the load that gave this throughput.

    Raises: ValueError for a negative price or a throughput that is not above 0: idle machines cost, per
    token, infinitely much.
    """
    if price_per_hour < 0 or tokens_per_second <= 0:
        raise ValueError("cost per token needs a price >= 0 and a throughput > 0")
    return price_per_hour / (SECONDS_PER_HOUR * tokens_per_second) * 1_000_000


def cost_estimate(price_per_hour: float, throughput: Estimate) -> Estimate:
    """Cost per million output tokens with the interval that the throughput's gives; unbounded above at 0 tokens."""
    interval = None
    if throughput.interval is not None:
        low, high = max(throughput.interval.low, 0.0), throughput.interval.high
        dearest = cost_per_million_tokens(price_per_hour, low) if low > 0 else float("inf")
        interval = replace(
            throughput.interval, low=cost_per_million_tokens(price_per_hour, high), high=dearest
        )
    value = cost_per_million_tokens(price_per_hour, throughput.value)
    return Estimate(value, interval, throughput.count, throughput.observations)
