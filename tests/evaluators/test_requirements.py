from __future__ import annotations

import tomllib

import pytest
from pydantic import JsonValue

from evaluators.requirements import Bound, Metric, Requirement, parse_requirements, requirement
from workbench.core.errors import ConfigurationError

SHEET = """
ttft_p95_ms = 500
requests_per_minute = 10.5
unsafe_rate = 0.01

[quality]
piqa = 0.7
refusal = { at_most = 0.05 }
length = { at_least = 20, at_most = 80 }
"""


def test_a_sheet_is_read_in_its_order() -> None:
    assert parse_requirements(tomllib.loads(SHEET)) == (
        Requirement(Metric.TTFT_P95, 500.0, Bound.AT_MOST),
        Requirement(Metric.REQUESTS_PER_MINUTE, 10.5, Bound.AT_LEAST),
        Requirement(Metric.UNSAFE_RATE, 0.01, Bound.AT_MOST),
        Requirement(Metric.QUALITY, 0.7, Bound.AT_LEAST, "piqa"),
        Requirement(Metric.QUALITY, 0.05, Bound.AT_MOST, "refusal"),
        Requirement(Metric.QUALITY, 20.0, Bound.AT_LEAST, "length"),
        Requirement(Metric.QUALITY, 80.0, Bound.AT_MOST, "length"),
    )


@pytest.mark.parametrize("metric", [metric for metric in Metric if metric is not Metric.QUALITY])
def test_every_metric_has_one_good_side(metric: Metric) -> None:
    (made,) = parse_requirements({metric.value: 0.5})
    other = Bound.AT_MOST if made.bound is Bound.AT_LEAST else Bound.AT_LEAST
    with pytest.raises(ConfigurationError, match="always"):
        requirement(metric, 0.5, bound=other)


def test_margins_are_positive_on_the_good_side() -> None:
    assert Requirement(Metric.TTFT_P95, 500.0, Bound.AT_MOST).margin(450.0) == 50.0
    assert Requirement(Metric.QUALITY, 0.7, Bound.AT_LEAST, "piqa").margin(0.6) == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"speed": 3}, "speed"),
        ({"ttft_p95_ms": "fast"}, "ttft_p95_ms"),
        ({"ttft_p95_ms": True}, "ttft_p95_ms"),
        ({"ttft_p95_ms": -1}, "ttft_p95_ms"),
        ({"ttft_p95_ms": float("nan")}, "ttft_p95_ms"),
        ({"unsafe_rate": 5}, "unsafe_rate"),
        ({"quality": 0.5}, "quality"),
        ({"quality": {"piqa": {"over": 0.5}}}, "over"),
        ({"quality": {"piqa": "good"}}, "piqa"),
    ],
)
def test_a_wrong_entry_is_named(table: dict[str, JsonValue], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        parse_requirements(table)


def test_only_quality_has_a_subject() -> None:
    with pytest.raises(ConfigurationError, match="names an evaluator"):
        requirement(Metric.QUALITY, 0.5)
    with pytest.raises(ConfigurationError, match="names an evaluator"):
        requirement(Metric.COST, 0.5, subject="piqa")
