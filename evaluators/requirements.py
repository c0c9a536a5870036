"""What a team asks of a candidate: a limit on a metric, each optional."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from workbench.core.errors import ConfigurationError


class Bound(StrEnum):
    """Which side of the limit is the good one."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Metric(StrEnum):
    """What a requirement limits; the name carries the unit."""

    QUALITY = "quality"
    """The mean score of an evaluator or probe, in its own unit."""
    TTFT_P95 = "ttft_p95_ms"
    TPOT_P95 = "tpot_p95_ms"
    TOKENS_PER_SECOND = "output_tokens_per_second"
    """Of the whole system, at the load it was measured under."""
    COST = "cost_per_million_tokens"
    """Output tokens, in the currency of the machine's price, at the load it was measured under."""
    REQUESTS_PER_MINUTE = "requests_per_minute"
    """Sustained: at least this many, good ones (see `load.saturation`)."""
    UNSAFE_RATE = "unsafe_rate"
    """The share of answers the guard calls unsafe."""
    OVER_REFUSAL_RATE = "over_refusal_rate"
    """The share of harmless prompts that were refused."""


_GOOD_SIDE: Mapping[Metric, Bound] = {
    Metric.QUALITY: Bound.AT_LEAST,
    Metric.TTFT_P95: Bound.AT_MOST,
    Metric.TPOT_P95: Bound.AT_MOST,
    Metric.TOKENS_PER_SECOND: Bound.AT_LEAST,
    Metric.COST: Bound.AT_MOST,
    Metric.REQUESTS_PER_MINUTE: Bound.AT_LEAST,
    Metric.UNSAFE_RATE: Bound.AT_MOST,
    Metric.OVER_REFUSAL_RATE: Bound.AT_MOST,
}
_RATES = frozenset({Metric.UNSAFE_RATE, Metric.OVER_REFUSAL_RATE})


@dataclass(frozen=True, slots=True)
class Requirement:
    """A limit. `subject` names the evaluator or probe whose score is limited, for QUALITY only."""

    metric: Metric
    limit: float
    bound: Bound
    subject: str = ""

    @property
    def name(self) -> str:
        """What it is about, as rows and pages call it."""
        return f"{self.metric}: {self.subject}" if self.subject else str(self.metric)

    def margin(self, value: float) -> float:
        """How far the value is on the good side of the limit, in the metric's unit; negative on the bad side."""
        return value - self.limit if self.bound is Bound.AT_LEAST else self.limit - value


def requirement(
    metric: Metric, limit: float, *, subject: str = "", bound: Bound | None = None
) -> Requirement:
    """The requirement, with the metric's own good side unless QUALITY names another.

    Raises: ConfigurationError for a limit that is none, or a subject or side that does not go with the metric.
    """
    name = str(metric)
    if not math.isfinite(limit) or (metric is not Metric.QUALITY and limit < 0):
        raise ConfigurationError(f"The requirement {name} needs a number that is not negative.")
    if metric in _RATES and limit > 1:
        raise ConfigurationError(f"The requirement {name} is a share from 0 to 1, not a percentage.")
    if (metric is Metric.QUALITY) != bool(subject):
        raise ConfigurationError("A quality requirement names an evaluator or probe, and no other one does.")
    side = _GOOD_SIDE[metric] if bound is None else bound
    if metric is not Metric.QUALITY and side is not _GOOD_SIDE[metric]:
        raise ConfigurationError(
            f"The requirement {name} is always a limit of the kind {_GOOD_SIDE[metric]}."
        )
    return Requirement(metric, float(limit), side, subject)


def parse_requirements(table: Mapping[str, JsonValue]) -> tuple[Requirement, ...]:
    """The requirements of an experiment's file, in its order.

    Every key is a metric with its limit; `quality` is a table from evaluator or probe to a least score, or to
    `{at_least = x}` or `{at_most = x}`.

    Raises: ConfigurationError naming the entry at fault.
    """
    found: list[Requirement] = []
    for key, value in table.items():
        if key not in list(Metric):
            known = ", ".join(Metric)
            raise ConfigurationError(f"There is no requirement called {key!r}. Known: {known}.")
        metric = Metric(key)
        if metric is Metric.QUALITY:
            found += _quality(value)
        else:
            found.append(requirement(metric, _number(value, key)))
    return tuple(found)


def _quality(table: JsonValue) -> list[Requirement]:
    if not isinstance(table, dict):
        raise ConfigurationError("The quality requirement is a table from evaluator or probe to a limit.")
    found: list[Requirement] = []
    for subject, value in table.items():
        limits = value if isinstance(value, dict) else {Bound.AT_LEAST.value: value}
        for side, limit in limits.items():
            if side not in list(Bound):
                raise ConfigurationError(f"quality.{subject} takes at_least and at_most, not {side!r}.")
            number = _number(limit, f"quality.{subject}")
            found.append(requirement(Metric.QUALITY, number, subject=subject, bound=Bound(side)))
    return found


def _number(value: JsonValue, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"The requirement {name} needs a number.")
    return float(value)
