from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluators.load.arrivals import (
    RateProfile,
    Spacing,
    arrival_times,
    burst,
    constant,
    parse_duration,
    parse_rate,
    ramp,
)


def test_even_requests_come_at_equal_distances_from_the_start_on() -> None:
    times = arrival_times(constant(2.0, 5.0), Spacing.EVEN)
    assert times == pytest.approx(np.arange(10) / 2)


def test_poisson_gaps_are_exponential() -> None:
    times = arrival_times(constant(5.0, 2000.0), seed=1)
    assert stats.kstest(np.diff(times), stats.expon(scale=0.2).cdf).pvalue > 0.01


def test_poisson_counts_vary_as_they_should() -> None:
    counts = [arrival_times(constant(1.0, 100.0), seed=seed).size for seed in range(500)]
    assert np.mean(counts) == pytest.approx(100, abs=2)
    assert np.var(counts) == pytest.approx(100, rel=0.2)


def test_the_same_seed_gives_the_same_times() -> None:
    profile = constant(1.0, 60.0)
    assert np.array_equal(arrival_times(profile, seed=7), arrival_times(profile, seed=7))
    assert not np.array_equal(arrival_times(profile, seed=7), arrival_times(profile, seed=8))


def test_ten_a_minute_with_peaks_of_fifty() -> None:
    """Ten seconds at 50 a minute in the middle of each minute, 10 a minute around it."""
    profile = burst(10 / 60, 50 / 60, 600.0)
    assert profile.expected_requests == pytest.approx(10 * (50 * 10 / 60 + 10 * 50 / 60))
    assert profile.peak_rate == pytest.approx(50 / 60)
    times = np.concatenate([arrival_times(profile, seed=seed) for seed in range(200)]) % 60
    inside = (times >= 25) & (times < 35)
    assert inside.mean() == pytest.approx(0.5, abs=0.02)


def test_a_short_burst_still_has_its_peak() -> None:
    profile = burst(0.1, 2.0, 30.0)
    times = arrival_times(profile, Spacing.EVEN)
    assert np.sum((times >= 10) & (times < 20)) == 20


@pytest.mark.parametrize("duration_s", [60.0, 63.0, 85.0, 119.0, 120.0, 130.0])
def test_a_burst_may_end_anywhere_in_its_period(duration_s: float) -> None:
    times = arrival_times(burst(0.5, 5.0, duration_s), Spacing.EVEN)
    assert times.max() < duration_s
    assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize(("first", "last"), [(0.0, 10.0), (10.0, 0.0), (1.0, 3.0)])
def test_a_ramp_changes_steadily(first: float, last: float) -> None:
    profile = ramp(first, last, 100.0)
    times = arrival_times(profile, Spacing.EVEN)
    assert times.size == round((first + last) / 2 * 100)
    early = (times < 50).sum()
    assert early == pytest.approx((first + (first + last) / 2) / 2 * 50, abs=1)


@given(
    st.lists(st.floats(0.01, 50), min_size=1, max_size=6),
    st.lists(st.floats(0, 20), min_size=7, max_size=7),
    st.sampled_from(Spacing),
)
def test_requests_stay_in_order_inside_the_profile(
    gaps: list[float], rates: list[float], spacing: Spacing
) -> None:
    times = (0.0, *np.cumsum(gaps).tolist())
    rates = rates[: len(times)]
    rates[0] += 0.1
    due = arrival_times(RateProfile(times, tuple(rates)), spacing, seed=3)
    assert np.all(np.diff(due) >= 0)
    assert np.all((due >= 0) & (due <= times[-1] * (1 + 1e-9)))


def test_no_request_comes_while_the_rate_is_zero() -> None:
    profile = RateProfile((0.0, 10.0, 10.0, 20.0, 20.0, 30.0), (1.0, 1.0, 0.0, 0.0, 1.0, 1.0))
    due = arrival_times(profile, seed=4)
    assert not np.any((due > 10.0) & (due < 20.0))


@pytest.mark.parametrize(
    ("times", "rates"),
    [
        ((0.0,), (1.0,)),
        ((0.0, 1.0), (1.0,)),
        ((1.0, 2.0), (1.0, 1.0)),
        ((0.0, 2.0, 1.0), (1.0, 1.0, 1.0)),
        ((0.0, 1.0), (-1.0, 1.0)),
        ((0.0, 1.0), (0.0, 0.0)),
        ((0.0, float("inf")), (1.0, 1.0)),
    ],
)
def test_impossible_profiles_are_refused(times: tuple[float, ...], rates: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rate"):
        RateProfile(times, rates)


def test_a_peak_is_higher_and_shorter_than_what_is_around_it() -> None:
    with pytest.raises(ValueError, match="lower"):
        burst(2.0, 1.0, 60.0)
    with pytest.raises(ValueError, match="shorter"):
        burst(1.0, 2.0, 60.0, peak_s=60.0)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("10/min", 1 / 6), ("2/s", 2.0), (" 600 / h ", 1 / 6), ("2", 2.0), ("0.5/s", 0.5), ("50/MIN", 5 / 6)],
)
def test_rates_are_read(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60.0), ("5min", 300.0), ("5m", 300.0), ("1h", 3600.0), ("90", 90.0), ("1.5 min", 90.0)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "10/day", "-1/s", "0/s", "1e3/s", "10 min/"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="written like"):
        parse_rate(text)
    with pytest.raises(ValueError, match="written like"):
        parse_duration(text)
