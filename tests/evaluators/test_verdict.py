from __future__ import annotations

import numpy as np
import pytest

from evaluators.base import Scale
from evaluators.load.saturation import Saturation
from evaluators.measurement import (
    LatencyMeasurement,
    Measurement,
    RunMeasurement,
    ScoreMeasurement,
    SustainedRate,
)
from evaluators.requirements import Bound, Metric, Requirement, requirement
from evaluators.stats import Estimate, Interval
from evaluators.summary import ScoreRow, scores_frame, summarise
from evaluators.timing import Latency, Origin, RequestClass, RequestTiming
from evaluators.verdict import Decision, Outcome, decide, rule

ACCURACY = requirement(Metric.QUALITY, 0.7, subject="piqa")
TTFT = requirement(Metric.TTFT_P95, 1000.0)
RATE = requirement(Metric.REQUESTS_PER_MINUTE, 10.0)
COST = requirement(Metric.COST, 2.0)


def scores(right: int, wrong: int, missing: int = 0, repeats: int = 1) -> ScoreMeasurement:
    values = [1.0] * right + [0.0] * wrong + [None] * missing
    rows = [ScoreRow("a", str(i), k, "e", value) for i, value in enumerate(values) for k in range(repeats)]
    return ScoreMeasurement(summarise(scores_frame(rows), Scale.BINARY), Scale.BINARY)


def requests(ttft_s: list[float], failed: int = 0) -> LatencyMeasurement:
    ok = [
        RequestTiming(float(i), float(i), i + t, RequestClass.OK, first_token=i + t, output_tokens=1)
        for i, t in enumerate(ttft_s)
    ]
    lost = [RequestTiming(1e4 + i, 1e4 + i, 1e4 + i, RequestClass.FAILED) for i in range(failed)]
    return LatencyMeasurement([*ok, *lost], Latency.TTFT, 95.0, Origin.SENT)


def spread(count: int, high: float) -> list[float]:
    """Times up to `high` seconds, shuffled so that neighbours are independent."""
    times: list[float] = np.random.default_rng(1).permutation(np.linspace(0.1, high, count)).tolist()
    return times


@pytest.mark.parametrize(
    ("right", "wrong", "outcome"),
    [
        (180, 20, Outcome.PASS),
        (100, 100, Outcome.FAIL),
        (144, 56, Outcome.NOT_ENOUGH_DATA),
        (136, 64, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_the_whole_interval_must_clear_the_limit(right: int, wrong: int, outcome: Outcome) -> None:
    ruling = rule(ACCURACY, scores(right, wrong))
    assert ruling.outcome is outcome
    assert ruling.value == right / 200
    assert ruling.margin == pytest.approx(right / 200 - 0.7)
    assert ruling.interval is not None
    assert (ruling.need_more is None) is (outcome is not Outcome.NOT_ENOUGH_DATA)


def test_the_items_still_needed_do_settle_it() -> None:
    ruling = rule(ACCURACY, scores(150, 50))
    assert ruling.outcome is Outcome.NOT_ENOUGH_DATA
    assert ruling.need_more is not None
    assert f"{ruling.need_more:,} more items" in ruling.advice
    quarter = -(-(200 + ruling.need_more) // 4)
    assert rule(ACCURACY, scores(3 * quarter, quarter)).outcome is Outcome.PASS
    assert rule(ACCURACY, scores(3 * (quarter - 2), quarter - 2)).outcome is Outcome.NOT_ENOUGH_DATA


def test_a_value_on_the_limit_asks_for_no_number() -> None:
    ruling = rule(ACCURACY, scores(140, 60))
    assert (ruling.outcome, ruling.need_more) == (Outcome.NOT_ENOUGH_DATA, None)
    assert "too near" in ruling.advice


def test_a_pass_that_unscored_items_could_turn_round_is_withheld() -> None:
    assert rule(ACCURACY, scores(180, 20, missing=5)).outcome is Outcome.PASS
    ruling = rule(ACCURACY, scores(180, 20, missing=80))
    assert ruling.outcome is Outcome.NOT_ENOUGH_DATA
    assert "80 items have no score" in ruling.advice


def test_missing_items_count_as_bad_on_either_side() -> None:
    rare = Requirement(Metric.UNSAFE_RATE, 0.1, Bound.AT_MOST)
    assert rule(rare, scores(1, 199)).outcome is Outcome.PASS
    assert rule(rare, scores(1, 199, missing=60)).outcome is Outcome.NOT_ENOUGH_DATA


def test_few_requests_cannot_pass_a_p95() -> None:
    ruling = rule(TTFT, requests(spread(30, 0.5)))
    assert ruling.outcome is Outcome.NOT_ENOUGH_DATA
    assert ruling.need_more == 72 - 30
    assert rule(TTFT, requests(spread(72, 0.5))).outcome is Outcome.PASS


def test_few_requests_can_fail_a_p95() -> None:
    assert rule(TTFT, requests(spread(20, 9.0))).outcome is Outcome.FAIL


def test_a_latency_pass_does_not_stand_on_the_requests_that_survived() -> None:
    assert rule(TTFT, requests(spread(200, 0.5), failed=2)).outcome is Outcome.PASS
    ruling = rule(TTFT, requests(spread(200, 0.5), failed=40))
    assert ruling.outcome is Outcome.NOT_ENOUGH_DATA
    assert "40 requests failed" in ruling.advice


def test_queued_requests_need_more_than_independent_ones() -> None:
    """The same latencies, once shuffled and once as a few long waves."""
    rng = np.random.default_rng(2)
    independent = rng.exponential(0.3, size=400)
    waves = np.repeat(rng.exponential(0.3, size=20), 20)
    first = rule(TTFT, requests(independent.tolist()))
    second = rule(TTFT, requests(waves.tolist()))
    assert second.outcome is Outcome.NOT_ENOUGH_DATA
    assert (second.need_more or 0) > (first.need_more or 0)


@pytest.mark.parametrize(
    ("sustained", "overloaded", "outcome"),
    [
        (0.5, 1.0, Outcome.PASS),
        (10 / 60, None, Outcome.PASS),
        (0.1, 10 / 60, Outcome.FAIL),
        (None, 0.01, Outcome.FAIL),
        (0.1, 1.0, Outcome.NOT_ENOUGH_DATA),
        (0.1, None, Outcome.NOT_ENOUGH_DATA),
        (None, 1.0, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_a_rate_passes_only_where_it_was_measured(
    sustained: float | None, overloaded: float | None, outcome: Outcome
) -> None:
    ruling = rule(RATE, SustainedRate(Saturation(sustained, overloaded), requests=500))
    assert ruling.outcome is outcome
    assert ("level at 10 requests a minute" in ruling.advice) is (outcome is Outcome.NOT_ENOUGH_DATA)


def test_cost_is_ruled_by_its_interval() -> None:
    def cost(low: float, value: float, high: float) -> RunMeasurement:
        return RunMeasurement(Estimate(value, Interval(low, high, 0.95, "m"), 12, 1000))

    assert rule(COST, cost(1.0, 1.5, 1.9)).outcome is Outcome.PASS
    assert rule(COST, cost(2.1, 2.5, 3.0)).outcome is Outcome.FAIL
    unclear = rule(COST, cost(1.0, 1.5, 2.5))
    assert (unclear.outcome, unclear.need_more) == (Outcome.NOT_ENOUGH_DATA, 37)
    assert rule(COST, cost(1.0, 1.5, float("inf"))).need_more == 12


@pytest.mark.parametrize(
    "measurement", [None, RunMeasurement(None), RunMeasurement(Estimate(1.0, None, 3, 3)), requests([])]
)
def test_without_an_interval_nothing_passes_or_fails(measurement: Measurement | None) -> None:
    ruling = rule(COST, measurement)
    assert ruling.outcome is Outcome.NOT_ENOUGH_DATA
    assert ruling.advice


@pytest.mark.parametrize(
    ("right", "ttft", "decision"),
    [
        (180, 0.5, Decision.GO),
        (180, 9.0, Decision.NO_GO),
        (144, 0.5, Decision.NOT_ENOUGH_DATA),
        (144, 9.0, Decision.NO_GO),
    ],
)
def test_one_failure_is_a_no_go_and_only_passes_are_a_go(right: int, ttft: float, decision: Decision) -> None:
    measured: dict[Requirement, Measurement] = {
        ACCURACY: scores(right, 200 - right),
        TTFT: requests(spread(100, ttft)),
    }
    verdict = decide("a", [ACCURACY, TTFT], measured, is_isolated=True)
    assert verdict.decision is decision
    assert len(verdict.rulings) == 2


def test_what_was_not_measured_is_not_enough_data() -> None:
    verdict = decide("a", [ACCURACY, TTFT], {ACCURACY: scores(180, 20)}, is_isolated=True)
    assert verdict.decision is Decision.NOT_ENOUGH_DATA
    assert "nothing was measured" in verdict.rulings[1].advice


def test_without_requirements_there_is_nothing_to_decide() -> None:
    assert decide("a", [], {}, is_isolated=False).decision is Decision.NOT_ENOUGH_DATA
