from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar

from evaluators.stats.bootstrap import studentized_bounds
from evaluators.stats.paired import (
    compare_means,
    compare_rates,
    compare_shares,
    mcnemar,
    rate_difference_bounds,
    sign_flip_test,
)

RUNS = 2000


@pytest.mark.parametrize(("first_only", "second_only"), [(0, 0), (1, 0), (9, 2), (30, 45), (5, 5)])
def test_mcnemar_equals_statsmodels(first_only: int, second_only: int) -> None:
    theirs = their_mcnemar([[10, first_only], [second_only, 10]], exact=True).pvalue
    assert mcnemar(first_only, second_only) == pytest.approx(theirs)


def test_sign_flips_equal_scipys_permutation_test() -> None:
    rng = np.random.default_rng(1)
    differences = rng.normal(0.3, 1.0, size=40)
    theirs = stats.permutation_test(
        (differences, np.zeros(40)), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples",
        n_resamples=20_000, vectorized=True, rng=rng,
    ).pvalue  # fmt: skip
    assert sign_flip_test(differences, flips=20_000) == pytest.approx(theirs, abs=0.01)


def test_sign_flips_find_no_difference_where_there_is_none() -> None:
    assert sign_flip_test(np.zeros(30)) == 1.0


def test_sign_flips_reject_at_their_level() -> None:
    rng = np.random.default_rng(2)
    p_values = [sign_flip_test(rng.normal(size=30), flips=400, seed=run) for run in range(RUNS)]
    assert 0.035 <= np.mean(np.array(p_values) <= 0.05) <= 0.065


def test_a_p_value_is_never_zero() -> None:
    assert sign_flip_test(np.ones(100), flips=500) == pytest.approx(1 / 501)


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("share_changed", [0.15, 0.4])
def test_rate_difference_covers_at_its_level(repeats: int, share_changed: float) -> None:
    """Most items are answered alike by both candidates, as fp32 and int8 of one model do."""
    rng = np.random.default_rng(3)
    ability = rng.beta(2, 2, size=(RUNS, 200))
    other = np.where(rng.random(ability.shape) < share_changed, rng.beta(2, 2, size=ability.shape), ability)
    differences = (rng.binomial(repeats, ability) - rng.binomial(repeats, other)) / repeats
    low, high = rate_difference_bounds(differences, repeats)
    truth = 0.0
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_paired_bootstrap_covers_at_its_level() -> None:
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(RUNS, 60))
    first, second = (
        shared + rng.exponential(size=shared.shape),
        shared + rng.normal(0.5, 1, size=shared.shape),
    )
    low, high = studentized_bounds(first - second)
    truth = 0.5
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_pairing_finds_what_two_separate_intervals_hide() -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 5, size=100)
    comparison = compare_means((shared + rng.normal(0.5, 0.5, size=100)).tolist(), shared.tolist())
    assert comparison.difference.interval is not None
    assert comparison.difference.interval.low > 0
    assert comparison.p_value < 0.001
    assert comparison.flipped == 100


def test_rates_asked_once_are_tested_by_mcnemar() -> None:
    first = [1.0] * 30 + [0.0] * 10
    second = [1.0] * 20 + [0.0] * 20
    comparison = compare_rates(first, second)
    assert comparison.test == "McNemar, exact"
    assert comparison.difference.value == 0.25
    assert comparison.flipped == 10
    assert comparison.p_value == pytest.approx(2 / 2**10)


def test_repeated_rates_are_tested_by_sign_flips_of_items() -> None:
    comparison = compare_rates([[1, 1, 0]] * 20, [[1, 0, 0]] * 20)
    assert comparison.test == "sign flips, clustered by item"
    assert comparison.difference.value == pytest.approx(1 / 3)
    assert (comparison.difference.count, comparison.difference.observations) == (20, 60)


def test_identical_candidates_differ_by_zero_with_a_width() -> None:
    comparison = compare_rates([1.0] * 50, [1.0] * 50)
    assert comparison.p_value == 1.0
    assert comparison.difference.interval is not None
    assert comparison.difference.interval.low < 0 < comparison.difference.interval.high


def test_items_that_do_not_match_up_are_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        compare_rates([1.0, 0.0], [1.0])


def test_scores_that_are_no_yes_or_no_are_no_rates() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        compare_rates([0.5, 1.0], [1.0, 1.0])


@pytest.mark.parametrize(("changed", "items"), [(0.05, 20), (0.1, 40), (0.5, 60)])
def test_differences_of_shares_cover_the_truth_also_where_few_items_differ(
    changed: float, items: int
) -> None:
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(600):
        first = rng.uniform(size=items)
        second = np.where(rng.uniform(size=items) < changed, first * rng.uniform(size=items), first)
        interval = compare_shares(first.tolist(), second.tolist(), resamples=500).difference.interval
        assert interval is not None
        assert -1 <= interval.low <= interval.high <= 1
        covered.append(changed / 4 in interval)
    assert np.mean(covered) >= 0.93


def test_one_item_that_differs_by_little_is_not_the_whole_truth() -> None:
    compared = compare_shares([0.0] * 19 + [0.005], [0.0] * 20)
    assert compared.difference.interval is not None
    assert compared.difference.interval.low < -0.05
    assert compared.difference.interval.high > 0.05
