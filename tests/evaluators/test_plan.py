from __future__ import annotations

import math
from dataclasses import replace

import pytest

from evaluators.plan import Deployment, HostedPrice, break_even, cost_at_duty, deployment_plan, hosted_price
from evaluators.verdict import Decision

FAST = Deployment("fast", 4.0, 100.0, 2000.0, 120.0, Decision.GO)
CHEAP = Deployment("cheap", 0.5, 1500.0, 300.0, 30.0, Decision.GO)
MIDDLE = Deployment("middle", 1.0, 300.0, 900.0, 60.0, Decision.GO)


def test_three_answers_to_three_questions() -> None:
    plan = deployment_plan([FAST, CHEAP, MIDDLE], 20.0)
    assert plan.best_performance is not None
    assert plan.lowest_cost is not None
    assert plan.best_value is not None
    assert plan.best_performance.deployment is FAST
    assert plan.lowest_cost.deployment is CHEAP
    assert plan.best_value.deployment is MIDDLE
    assert plan.is_proven


def test_machines_are_added_until_they_carry_the_load() -> None:
    plan = deployment_plan([CHEAP, FAST], 115.0)
    assert plan.lowest_cost is not None
    assert (plan.lowest_cost.deployment.name, plan.lowest_cost.machines) == ("cheap", 4)
    assert plan.lowest_cost.price_per_hour == 2.0
    assert plan.lowest_cost.cost_per_request == pytest.approx(2.0 / (115 * 60))


def test_many_cheap_machines_may_cost_more_than_one_fast_one() -> None:
    plan = deployment_plan([replace(CHEAP, requests_per_minute=10.0), FAST], 115.0)
    assert plan.lowest_cost is not None
    assert plan.lowest_cost.deployment is FAST


def test_what_broke_a_requirement_is_never_planned() -> None:
    plan = deployment_plan([replace(FAST, decision=Decision.NO_GO), CHEAP], 20.0)
    assert plan.best_performance is not None
    assert plan.best_performance.deployment is CHEAP
    assert deployment_plan([replace(FAST, decision=Decision.NO_GO)], 20.0).best_performance is None


def test_the_undecided_are_planned_only_without_a_pass_and_say_so() -> None:
    undecided = replace(FAST, decision=Decision.NOT_ENOUGH_DATA)
    assert (
        deployment_plan([undecided, CHEAP], 20.0).best_performance
        == deployment_plan([CHEAP], 20.0).best_performance
    )
    plan = deployment_plan([undecided], 20.0)
    assert plan.best_performance is not None
    assert not plan.is_proven


def test_cost_follows_throughput_and_duty() -> None:
    assert FAST.cost_per_million_tokens == pytest.approx(4.0 / (3600 * 2000) * 1e6)
    assert cost_at_duty(4.0, 2000.0, 0.1) == pytest.approx(10 * FAST.cost_per_million_tokens)
    with pytest.raises(ValueError, match="duty"):
        cost_at_duty(4.0, 2000.0, 0.0)


def test_the_bills_meet_at_break_even() -> None:
    hosted = HostedPrice("p", "m", input_per_million=1.0, output_per_million=4.0)
    point = break_even(MIDDLE, hosted, prompt_tokens=1000, output_tokens=250)
    assert point.hosted_cost_per_request == pytest.approx(0.002)
    assert point.requests_per_minute * 60 * point.hosted_cost_per_request == pytest.approx(
        MIDDLE.price_per_hour
    )
    assert point.is_reachable


def test_a_machine_too_slow_for_its_price_never_breaks_even() -> None:
    hosted = HostedPrice("p", "m", input_per_million=0.05, output_per_million=0.1)
    assert not break_even(FAST, hosted, prompt_tokens=100, output_tokens=50).is_reachable
    free = break_even(FAST, HostedPrice("p", "m", 0.0, 0.0), prompt_tokens=100, output_tokens=50)
    assert (free.requests_per_minute, free.is_reachable) == (math.inf, False)


def test_hosted_prices_come_from_the_installed_data() -> None:
    price = hosted_price("gpt-4o-mini", "openai")
    assert price is not None
    assert 0 < price.input_per_million < price.output_per_million
    assert hosted_price("no-such-model", "openai") is None
    assert hosted_price("gpt-4o-mini", "no-such-provider") is None


@pytest.mark.parametrize(
    "change", [{"ttft_p95_ms": 0.0}, {"requests_per_minute": math.nan}, {"price_per_hour": -1.0}]
)
def test_a_forecast_cannot_pose_as_a_deployment(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="measured"):
        replace(FAST, **change)  # type: ignore[arg-type]


def test_a_plan_is_for_a_load() -> None:
    with pytest.raises(ValueError, match="load"):
        deployment_plan([FAST], 0.0)
