from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from evaluators.stats.proportion import effective_count, rate_estimate, wilson, wilson_bounds

RUNS = 2000


@pytest.mark.parametrize(("successes", "count"), [(0, 12), (1, 40), (37, 40), (200, 200), (613, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_equals_statsmodels(successes: int, count: int, level: float) -> None:
    interval = wilson(successes, count, level)
    low, high = proportion_confint(successes, count, alpha=1 - level, method="wilson")
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("successes", "count"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes: int, count: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(successes, count)


def test_a_perfect_score_still_has_a_width() -> None:
    interval = wilson(40, 40)
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.912, abs=0.001)


@pytest.mark.parametrize("rate", [0.5, 0.7, 0.85])
@pytest.mark.parametrize("count", [60, 200])
def test_wilson_covers_at_its_level(rate: float, count: int) -> None:
    successes = np.random.default_rng(1).binomial(count, rate, size=20_000)
    low, high = wilson_bounds(successes / count, np.full(successes.shape, float(count)), 0.95)
    assert 0.93 <= np.mean((low <= rate) & (rate <= high)) <= 0.97


@pytest.mark.parametrize("repeats", [3, 5])
@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 2.0), (0.5, 0.5), (9.0, 1.0)])
def test_clustered_rate_covers_at_its_level(repeats: int, alpha: float, beta: float) -> None:
    """Items differ in difficulty (beta distributed); the truth is the mean over all items there could be."""
    rng = np.random.default_rng(2)
    rates = rng.binomial(repeats, rng.beta(alpha, beta, size=(RUNS, 100))) / repeats
    worth = effective_count(rates, np.array(float(repeats)))
    low, high = wilson_bounds(rates.mean(axis=-1), worth, 0.95)
    truth = alpha / (alpha + beta)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_counting_repeats_as_items_would_not_cover() -> None:
    """The reason for clustering: the interval that ignores it misses far too often."""
    rng = np.random.default_rng(3)
    answers = rng.binomial(5, rng.beta(0.5, 0.5, size=(RUNS, 100)))
    low, high = wilson_bounds(answers.sum(axis=-1) / 500, np.full(RUNS, 500.0), 0.95)
    truth = 0.5
    assert np.mean((low <= truth) & (truth <= high)) < 0.8


def test_identical_repeats_are_worth_the_items_alone() -> None:
    once = rate_estimate([np.array([float(i % 3 == 0)]) for i in range(60)])
    thrice = rate_estimate([np.repeat(float(i % 3 == 0), 3) for i in range(60)])
    assert once.interval is not None
    assert thrice.interval is not None
    assert thrice.interval.low == pytest.approx(once.interval.low, abs=0.002)
    assert (thrice.count, thrice.observations) == (60, 180)


def test_one_item_repeated_has_no_interval() -> None:
    assert rate_estimate([np.ones(50)]).interval is None


def test_every_item_weighs_the_same_however_often_it_was_asked() -> None:
    estimate = rate_estimate([np.ones(10), np.zeros(1)])
    assert estimate.value == 0.5


@pytest.mark.parametrize("bad", [[np.array([0.5])], [np.array([])], [], [np.array([np.nan])]])
def test_a_rate_is_made_of_zeros_and_ones(bad: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"rate|finite"):
        rate_estimate(bad)
