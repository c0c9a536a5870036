from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluators.speed import (
    Limits,
    Span,
    cost_estimate,
    cost_per_million_tokens,
    distribution,
    goodput,
    latency_percentile,
    latency_table,
    output_throughput,
    output_throughput_estimate,
    run_span,
)
from evaluators.stats import Estimate, Interval
from evaluators.timing import Latency, Origin, RequestClass, RequestTiming


def request(
    start: float, ttft_s: float = 0.5, tokens: int = 11, outcome: RequestClass = RequestClass.OK
) -> RequestTiming:
    """Ten gaps of 20 ms behind the first token."""
    times = tuple((start + ttft_s + np.arange(tokens) * 0.02).tolist())
    return RequestTiming(
        start, start, times[-1], outcome, first_token=times[0], first_content_token=times[0],
        token_times=times, output_tokens=tokens,
    )  # fmt: skip


def test_percentiles_are_linear_and_come_with_their_count() -> None:
    spread = distribution(np.arange(1.0, 101.0))
    assert (spread.count, spread.mean, spread.p50) == (100, 50.5, 50.5)
    assert spread.p95 == pytest.approx(95.05)
    assert distribution(np.empty(0)).p95 is None


def test_the_latency_table_has_every_latency_also_without_values() -> None:
    table = latency_table([request(0.0), request(1.0, 0.7)])
    assert list(table.index) == [latency.value for latency in Latency]
    assert table.loc["ttft_ms", "p50"] == pytest.approx(600.0)
    assert table.loc["itl_ms", "count"] == 20
    assert table.loc["guard_ms", "count"] == 0
    assert table["p50"].isna()["guard_ms"]


def test_failed_requests_change_no_latency() -> None:
    slow = request(2.0, 9.0, outcome=RequestClass.FAILED)
    assert latency_table([request(0.0), slow]).equals(latency_table([request(0.0)]))


def test_a_percentile_has_an_interval_and_its_count() -> None:
    rng = np.random.default_rng(1)
    timings = [request(float(i), float(rng.exponential())) for i in range(300)]
    estimate = latency_percentile(timings, Latency.TTFT, 95)
    assert estimate is not None
    assert estimate.interval is not None
    assert estimate.interval.is_bounded
    assert estimate.count == 300
    assert latency_percentile([], Latency.TTFT, 95) is None
    with pytest.raises(ValueError, match="TPOT"):
        latency_percentile(timings, Latency.ITL, 95)


@pytest.mark.parametrize(
    ("limits", "is_met"),
    [
        (Limits(), True),
        (Limits(ttft_ms=500.001), True),
        (Limits(ttft_ms=499.0), False),
        (Limits(tpot_ms=20.001), True),
        (Limits(tpot_ms=19.0), False),
        (Limits(end_to_end_ms=699.0), False),
        (Limits(ttft_ms=600.0, tpot_ms=30.0, end_to_end_ms=701.0), True),
        (Limits(ttft_ms=600.0, tpot_ms=1.0), False),
    ],
)
def test_a_good_request_keeps_every_stated_limit(limits: Limits, is_met: bool) -> None:
    assert limits.are_met_by(request(0.0)) is is_met


@pytest.mark.parametrize("outcome", [RequestClass.TRUNCATED, RequestClass.BLOCKED, RequestClass.FAILED])
def test_what_is_not_ok_is_never_good(outcome: RequestClass) -> None:
    assert not Limits().are_met_by(request(0.0, outcome=outcome))


def test_one_token_cannot_break_a_limit_it_has_no_value_for() -> None:
    assert Limits(tpot_ms=1.0).are_met_by(request(0.0, tokens=1))


def test_goodput_counts_waiting_to_be_sent() -> None:
    late = replace(request(1.0), scheduled=0.0)
    limits = Limits(ttft_ms=600.0)
    assert goodput([late], limits, Span(0.0, 2.0)) == 0.5
    assert goodput([late], limits, Span(0.0, 2.0), Origin.SCHEDULED) == 0.0


def test_throughput_counts_tokens_of_all_requests_over_the_wall_time() -> None:
    timings = [request(0.0), request(5.0), request(9.3, outcome=RequestClass.TRUNCATED)]
    span = run_span(timings)
    assert span.seconds == pytest.approx(10.0)
    assert output_throughput(timings, span) == pytest.approx(3.3)


def test_throughput_interval_covers_at_its_level() -> None:
    """Poisson arrivals of short answers into a busy system: the truth is rate x mean tokens."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        starts = np.sort(rng.uniform(-4, 120, size=rng.poisson(248)))
        timings = [request(float(s), 0.1, int(rng.integers(5, 30))) for s in starts]
        estimate = output_throughput_estimate(timings, Span(0.0, 120.0))
        assert estimate.interval is not None
        covered += 2 * 17.0 in estimate.interval
    assert 0.93 <= covered / 200 <= 0.97


def test_tokens_without_times_come_with_the_last_byte() -> None:
    unstreamed = [replace(request(float(i)), token_times=()) for i in range(60)]
    estimate = output_throughput_estimate(unstreamed, run_span(unstreamed))
    assert estimate.value == pytest.approx(60 * 11 / run_span(unstreamed).seconds)


def test_cost_by_its_definition() -> None:
    assert cost_per_million_tokens(3.6, 1000.0) == pytest.approx(1.0)
    assert cost_per_million_tokens(0.0, 10.0) == 0.0
    with pytest.raises(ValueError, match="throughput"):
        cost_per_million_tokens(1.0, 0.0)


def test_cost_turns_the_throughputs_interval_round() -> None:
    cost = cost_estimate(3.6, Estimate(1000.0, Interval(500.0, 2000.0, 0.95, "m"), 12, 9))
    assert cost.interval is not None
    assert (cost.interval.low, cost.value, cost.interval.high) == pytest.approx((0.5, 1.0, 2.0))
    endless = cost_estimate(3.6, Estimate(1000.0, Interval(-1.0, 2000.0, 0.95, "m"), 12, 9))
    assert endless.interval is not None
    assert endless.interval.high == float("inf")


def test_a_run_without_requests_has_no_span() -> None:
    with pytest.raises(ValueError, match="without requests"):
        run_span([])
