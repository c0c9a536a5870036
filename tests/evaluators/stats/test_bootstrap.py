from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evaluators.stats.bootstrap import mean_estimate, resample_counts, share_estimate, studentized_bounds
from evaluators.stats.estimate import FloatArray
from evaluators.stats.proportion import wilson

RUNS = 2000


@pytest.mark.parametrize("items", [40, 200])
@pytest.mark.parametrize(
    ("distribution", "truth"),
    [
        (stats.norm(), 0.0),
        (stats.expon(), 1.0),
        (stats.beta(5, 1), 5 / 6),
        (stats.uniform(), 0.5),
    ],
    ids=["normal", "exponential", "beta", "uniform"],
)
def test_intervals_cover_at_their_level(distribution: stats.rv_continuous, truth: float, items: int) -> None:
    values = distribution.rvs(size=(RUNS, items), random_state=np.random.default_rng(4))
    low, high = studentized_bounds(values)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_clustered_intervals_cover_at_their_level() -> None:
    """Three repeats an item, as noisy as the items differ: item means are what is resampled."""
    rng = np.random.default_rng(5)
    repeats = rng.normal(size=(RUNS, 60, 1)) + rng.exponential(size=(RUNS, 60, 3))
    truth = 1.0
    low, high = studentized_bounds(repeats.mean(axis=-1))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_studentizing_repairs_what_a_percentile_bootstrap_misses() -> None:
    values = np.random.default_rng(6).lognormal(size=(RUNS, 40))
    truth = np.exp(0.5)
    counts = resample_counts(40, 2000, np.random.default_rng(0))
    plain_low, plain_high = np.quantile(values @ counts.T / 40, [0.025, 0.975], axis=-1)
    low, high = studentized_bounds(values)
    plain = np.mean((plain_low <= truth) & (truth <= plain_high))
    assert np.mean((low <= truth) & (truth <= high)) > plain + 0.02


def test_agrees_with_students_t_for_normal_values() -> None:
    values = np.random.default_rng(7).normal(10, 2, size=400)
    estimate = mean_estimate(values.tolist())
    low, high = stats.t.interval(0.95, 399, loc=values.mean(), scale=stats.sem(values))
    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high), abs=0.02)


def test_agrees_with_scipys_bootstrap() -> None:
    values = np.random.default_rng(8).exponential(size=300)
    estimate = mean_estimate(values.tolist(), resamples=9999)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, rng=np.random.default_rng(0)
    ).confidence_interval
    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx(
        (theirs.low, theirs.high), abs=0.02
    )


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(9).normal(size=50).tolist()
    assert mean_estimate(values, seed=3) == mean_estimate(values, seed=3)
    assert mean_estimate(values, seed=3) != mean_estimate(values, seed=4)


def test_resamples_in_several_parts_equal_their_items() -> None:
    counts = resample_counts(17, 33, np.random.default_rng(1))
    assert counts.shape == (33, 17)
    assert np.all(counts.sum(axis=1) == 17)


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [0.7] * 50], ids=["too few items", "no spread"])
def test_no_interval_is_claimed_where_the_data_cannot_give_one(values: list[float]) -> None:
    assert mean_estimate(values).interval is None


def test_repeats_do_not_count_as_items() -> None:
    rng = np.random.default_rng(10)
    items = rng.normal(size=40)
    once = mean_estimate([[value] for value in items])
    copied = mean_estimate([[value] * 10 for value in items])
    assert once.interval is not None
    assert copied.interval is not None
    assert copied.interval.low == pytest.approx(once.interval.low)
    assert (copied.count, copied.observations) == (40, 400)


@pytest.mark.parametrize("bad", [[], [[]], [[1.0], [float("nan")]], [[float("inf")]]])
def test_missing_or_infinite_values_are_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"at least one|finite"):
        mean_estimate(bad)


def rarely_above_zero(rate: float, shape: tuple[int, int], seed: int) -> FloatArray:
    """Shares most of which are zero; their mean is half of `rate`."""
    rng = np.random.default_rng(seed)
    return rng.uniform(size=shape) * (rng.uniform(size=shape) < rate)


@pytest.mark.parametrize(("rate", "items"), [(0.05, 20), (0.05, 40), (0.02, 200), (0.3, 60), (0.9, 40)])
def test_intervals_of_shares_cover_the_truth_also_where_most_are_the_same(rate: float, items: int) -> None:
    values = rarely_above_zero(rate, (600, items), seed=11)
    intervals = [share_estimate(row.tolist(), resamples=500).interval for row in values]
    assert all(interval is not None and 0 <= interval.low <= interval.high <= 1 for interval in intervals)
    covered = np.mean([interval is not None and rate / 2 in interval for interval in intervals])
    assert covered >= 0.93
    assert rate < 0.5 or covered <= 0.985


def test_a_bootstrap_alone_misses_what_is_rare() -> None:
    values = rarely_above_zero(0.05, (600, 20), seed=11)
    intervals = [mean_estimate(row.tolist(), resamples=500).interval for row in values]
    assert np.mean([interval is not None and 0.025 in interval for interval in intervals]) < 0.7


def test_one_share_above_zero_says_little_and_not_everything() -> None:
    estimate = share_estimate([0.0] * 19 + [0.005])
    assert estimate.interval is not None
    assert estimate.interval.low == pytest.approx(0.0, abs=1e-4)
    assert estimate.interval.high == pytest.approx(0.16, abs=0.01)


def test_no_spread_in_shares_is_bounded_as_a_rate_is() -> None:
    estimate = share_estimate([0.0] * 20)
    assert estimate.interval == wilson(0, 20)
