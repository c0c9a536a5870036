from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from evaluators.stats.power import (
    items_for_difference,
    items_for_mean,
    items_for_rate,
    minimum_detectable_difference,
)
from evaluators.stats.proportion import wilson


@pytest.mark.parametrize("items", [40, 200, 1000])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_detectable_difference_equals_statsmodels(items: int, power: float) -> None:
    # ratio 0 is statsmodels' one-sample (hence paired) case.
    effect = NormalIndPower().solve_power(nobs1=items, alpha=0.05, power=power, ratio=0)
    assert minimum_detectable_difference(2.0, items, power=power) == pytest.approx(2.0 * effect, rel=1e-4)


def test_the_detectable_difference_is_detected_that_often() -> None:
    rng = np.random.default_rng(1)
    difference = minimum_detectable_difference(1.0, 100)
    samples = rng.normal(difference, 1.0, size=(4000, 100))
    found = np.abs(samples.mean(axis=1)) / (samples.std(axis=1, ddof=1) / 10) > 1.96
    assert np.mean(found) == pytest.approx(0.8, abs=0.02)


def test_two_hundred_yes_no_items_see_about_seven_points() -> None:
    """The quick check's promise: half the width of the widest interval at 200 items."""
    interval = wilson(100, 200)
    assert (interval.high - interval.low) / 2 == pytest.approx(0.069, abs=0.001)


def test_items_for_difference_is_the_inverse() -> None:
    needed = items_for_difference(1.0, 0.1)
    assert needed is not None
    assert minimum_detectable_difference(1.0, needed) <= 0.1 < minimum_detectable_difference(1.0, needed - 1)
    assert items_for_difference(1.0, 0.0) is None


@pytest.mark.parametrize(("rate", "limit"), [(0.8, 0.7), (0.62, 0.6), (0.0, 0.01), (1.0, 0.95), (0.3, 0.5)])
def test_items_for_rate_is_the_smallest_that_settles_it(rate: float, limit: float) -> None:
    needed = items_for_rate(rate, limit)
    assert needed is not None
    assert limit not in wilson(rate * needed, needed)
    assert needed == 1 or limit in wilson(rate * (needed - 1), needed - 1)


@pytest.mark.parametrize(("rate", "limit"), [(0.5, 0.5), (0.5, 0.5001), (0.0, 0.0), (1.0, 1.0)])
def test_a_rate_on_its_limit_is_never_settled(rate: float, limit: float) -> None:
    assert items_for_rate(rate, limit) is None


def test_items_for_mean_shrinks_the_interval_until_it_clears() -> None:
    assert items_for_mean(half_width=2.0, items=50, margin=1.0) == 201
    assert items_for_mean(half_width=2.0, items=50, margin=0.0) is None
    assert items_for_mean(half_width=2.0, items=50, margin=1e-6) is None
