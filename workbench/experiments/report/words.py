"""Numbers and outcomes as people read them."""

from __future__ import annotations

import math

from evaluators.base import Scale
from evaluators.requirements import Bound, Metric, Requirement
from evaluators.stats import Estimate, Interval
from evaluators.verdict import Decision, Outcome

OUTCOMES = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.NOT_ENOUGH_DATA: "not enough data",
}
DECISIONS = {
    Decision.GO: "Go",
    Decision.NO_GO: "No-go",
    Decision.NOT_ENOUGH_DATA: "Not enough data",
}
_NAMES = {
    Metric.TTFT_P95: "Time to first token, 95th percentile",
    Metric.TPOT_P95: "Time per output token, 95th percentile",
    Metric.TOKENS_PER_SECOND: "Output tokens a second",
    Metric.COST: "Cost per million output tokens",
    Metric.REQUESTS_PER_MINUTE: "Requests a minute, sustained",
    Metric.UNSAFE_RATE: "Unsafe answers",
    Metric.OVER_REFUSAL_RATE: "Harmless prompts refused",
}
_MILLISECONDS = frozenset({Metric.TTFT_P95, Metric.TPOT_P95})
_SHARES = frozenset({Metric.UNSAFE_RATE, Metric.OVER_REFUSAL_RATE})
NONE = "–"
_MINUS = "−"


def short(value: float | None) -> str:
    """A number with about three digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "unbounded"
    if value != 0 and abs(value) < 0.01:
        return f"{value:.2g}".replace("-", _MINUS)
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", _MINUS)


def percent(value: float | None) -> str:
    """A share as a percentage."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{round(100 * value)} %".replace("-", _MINUS)  # a whole number: there is no minus zero


def milliseconds(value: float | None) -> str:
    """A time in ms, or in seconds from ten of them on."""
    if value is None or not math.isfinite(value):
        return NONE if value is None or math.isnan(value) else "unbounded"
    return f"{value / 1000:.1f} s" if value >= 10_000 else f"{short(value)} ms"


def quantity(value: float | None, metric: Metric, scale: Scale | None = None) -> str:
    """A requirement's value in its unit."""
    if metric in _MILLISECONDS:
        return milliseconds(value)
    if metric in _SHARES or (metric is Metric.QUALITY and scale in (Scale.BINARY, Scale.UNIT)):
        return percent(value)
    return short(value)


def share(value: float, scale: Scale | None) -> str:
    """A difference of scores with its sign."""
    text = f"{100 * abs(value):.1f} points" if scale in (Scale.BINARY, Scale.UNIT) else short(abs(value))
    return text if value == 0 else f"{'+' if value > 0 else '−'}{text}"


def interval_words(interval: Interval | None, metric: Metric, scale: Scale | None = None) -> str:
    """From and to; what a side that the data cannot bound means is said in words."""
    if interval is None:
        return "no interval: too little data"
    low, high = quantity(interval.low, metric, scale), quantity(interval.high, metric, scale)
    if math.isinf(interval.high):
        return f"{low} or more"
    return f"{low} to {high}"


def score_words(estimate: Estimate | None, scale: Scale) -> str:
    """A mean score with its interval."""
    if estimate is None:
        return NONE
    value = quantity(estimate.value, Metric.QUALITY, scale)
    return f"{value} ({interval_words(estimate.interval, Metric.QUALITY, scale)})"


def requirement_words(requirement: Requirement, title: str, scale: Scale | None) -> str:
    """What is asked, as a row's head."""
    name = title if requirement.metric is Metric.QUALITY else _NAMES[requirement.metric]
    side = "at least" if requirement.bound is Bound.AT_LEAST else "at most"
    return f"{name}: {side} {quantity(requirement.limit, requirement.metric, scale)}"
