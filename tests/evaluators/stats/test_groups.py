"""Welch's comparison by resampling agrees with scipy's and keeps its level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evaluators.stats.groups import compare_groups


def test_it_agrees_with_scipy_on_normal_data() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.5, 1.0, 80), rng.normal(0.0, 2.0, 60)
    found = compare_groups(one, other)
    expected = stats.ttest_ind(one, other, equal_var=False)
    bounds = expected.confidence_interval()
    assert found.difference.value == pytest.approx(one.mean() - other.mean())
    assert found.difference.interval is not None
    assert found.difference.interval.low == pytest.approx(bounds.low, abs=0.08)
    assert found.difference.interval.high == pytest.approx(bounds.high, abs=0.08)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.03)


def test_intervals_cover_the_true_difference() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        one, other = rng.exponential(1.0, 40), rng.exponential(2.0, 40)
        interval = compare_groups(one, other, resamples=400).difference.interval
        assert interval is not None
        covered += -1.0 in interval
    assert 0.92 * 300 <= covered <= 0.98 * 300


def test_few_items_have_no_interval() -> None:
    assert compare_groups([1.0, 2.0], [3.0, 4.0]).difference.interval is None


def test_an_empty_group_is_refused() -> None:
    with pytest.raises(ValueError, match="both groups"):
        compare_groups([], [1.0])
