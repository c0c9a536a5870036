from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evaluators.stats.binomial import binomial_cdf, binomial_pmf
from evaluators.stats.quantile import (
    effective_count,
    percentile,
    percentile_estimate,
    percentile_interval,
    rank_position,
    value_at_rank,
    values_needed,
)

RUNS = 2000


@pytest.mark.parametrize(
    ("count", "probability"), [(0, 0.3), (1, 0.5), (72, 0.95), (500, 0.01), (20_000, 0.95)]
)
def test_binomial_equals_scipy(count: int, probability: float) -> None:
    k = np.arange(count + 1)
    assert np.allclose(binomial_pmf(count, probability), stats.binom.pmf(k, count, probability), atol=1e-10)
    assert np.allclose(binomial_cdf(count, probability), stats.binom.cdf(k, count, probability), atol=1e-8)


@pytest.mark.parametrize("percent", [50.0, 90.0, 95.0, 99.0])
def test_percentile_is_numpys_linear_one(percent: float) -> None:
    values = np.random.default_rng(1).lognormal(size=101)
    assert percentile(values, percent) == np.percentile(values, percent, method="linear")


@pytest.mark.parametrize(
    ("percent", "count"), [(50.0, 40), (90.0, 60), (95.0, 100), (95.0, 600), (99.0, 600)]
)
def test_intervals_cover_at_their_level_whatever_the_shape(percent: float, count: int) -> None:
    ordered = np.sort(np.random.default_rng(2).lognormal(size=(RUNS, count)), axis=-1)
    low, high = (value_at_rank(ordered, rank_position(count, percent / 100, tail)) for tail in (0.025, 0.975))
    truth = stats.lognorm(1).ppf(percent / 100)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_p95_is_bounded_above_from_72_values_on() -> None:
    values = np.random.default_rng(3).exponential(size=72)
    assert math.isinf(percentile_interval(values[:71], 95).high)
    assert percentile_interval(values, 95).is_bounded


def test_few_values_still_bound_a_percentile_below() -> None:
    interval = percentile_interval(list(range(1, 21)), 95)
    assert interval.high == math.inf
    assert 17 < interval.low < 18


def test_estimate_lies_inside_its_interval() -> None:
    rng = np.random.default_rng(4)
    for count in (1, 2, 5, 30, 400):
        estimate = percentile_estimate(rng.exponential(size=count).tolist(), 95)
        assert estimate.interval is not None
        assert estimate.value in estimate.interval


def single_server_latencies(requests: int, utilisation: float, rng: np.random.Generator) -> np.ndarray:
    """Time in an M/M/1 queue, request by request (Lindley's recursion)."""
    service, gap = rng.exponential(utilisation, size=requests), rng.exponential(size=requests)
    latencies = np.empty(requests)
    latency = 0.0
    for i in range(requests):
        latency = max(latency - gap[i], 0.0) + service[i]
        latencies[i] = latency
    return latencies


def test_queued_requests_are_worth_fewer_independent_ones() -> None:
    """Taking queued latencies for independent ones claims far too much."""
    rng = np.random.default_rng(5)
    truth = -math.log(0.05) * 0.3 / 0.7
    plain = corrected = 0
    for _ in range(200):
        latencies = single_server_latencies(2500, 0.3, rng)[500:]
        plain += truth in percentile_interval(latencies, 95)
        corrected += truth in percentile_interval(latencies, 95, is_time_series=True)
    assert plain / 200 < 0.85
    assert corrected / 200 > 0.9


def test_independent_values_keep_their_worth() -> None:
    values = np.random.default_rng(6).exponential(size=2000)
    assert effective_count(values, float(np.percentile(values, 95))) > 1500


def test_a_constant_series_keeps_its_count() -> None:
    assert effective_count(np.ones(50), 1.0) == 50


@pytest.mark.parametrize(("share", "needed"), [(0.0, 72), (1.0, 2), (0.05, None)])
def test_values_needed_to_settle_a_p95(share: float, needed: int | None) -> None:
    assert values_needed(share, 95) == needed


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.3])
def test_the_values_needed_do_settle_it(share: float) -> None:
    """A sample of that size, with that share above a limit of 1, has its whole interval on one side of it."""
    needed = values_needed(share, 95)
    assert needed is not None
    beyond = round(share * needed)
    sample = np.concatenate([np.linspace(0.1, 0.9, needed - beyond), np.linspace(1.1, 1.9, beyond)])
    interval = percentile_interval(sample, 95)
    assert interval.high <= 1.0 if share < 0.05 else interval.low >= 1.0


@pytest.mark.parametrize(("values", "percent"), [([], 95.0), ([1.0], 0.0), ([1.0], 100.0)])
def test_no_interval_without_values_or_at_the_ends(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile_interval(values, percent)
