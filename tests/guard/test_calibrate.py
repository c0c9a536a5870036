"""Curves, thresholds and intervals, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.calibrate import (
    auprc,
    auroc,
    bootstrap,
    calibration_error,
    confusion,
    curve,
    threshold_for_f1,
    threshold_for_fpr,
)

rows = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])), min_size=2)
LABELS = [True, False, True, True, False, False]
SCORES = [0.9, 0.8, 0.7, 0.4, 0.4, 0.1]


def split(pairs: list[tuple[bool, float]]) -> tuple[list[bool], list[float]]:
    return [label for label, _ in pairs], [score for _, score in pairs]


def has_both(labels: list[bool]) -> bool:
    return any(labels) and not all(labels)


def test_a_confusion_counts_and_rates() -> None:
    counts = confusion(LABELS, [score >= 0.5 for score in SCORES])
    assert (counts.true_positives, counts.false_positives) == (2, 1)
    assert (counts.true_negatives, counts.false_negatives) == (2, 1)
    assert (counts.precision, counts.recall, counts.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert (counts.fpr, counts.accuracy) == (1 / 3, 4 / 6)


def test_what_cannot_be_computed_is_none_not_zero() -> None:
    nothing_flagged = confusion([True, False], [False, False])
    assert nothing_flagged.precision is None
    assert nothing_flagged.recall == 0.0
    only_safe = confusion([False], [False])
    assert (only_safe.recall, only_safe.f1, only_safe.fpr) == (None, None, 0.0)
    assert auprc([True, True], [0.1, 0.2]) is None
    assert auroc([False], [0.1]) is None
    assert threshold_for_f1([], []) is None
    assert calibration_error([], []) is None


@given(rows)
def test_the_curve_is_the_confusion_at_each_threshold(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = split(pairs)
    points = curve(labels, scores)
    if not has_both(labels):
        assert points is None
        return
    assert points is not None
    assert list(points.thresholds) == sorted(set(scores), reverse=True)
    for place, threshold in enumerate(points.thresholds):
        counts = confusion(labels, [score >= threshold for score in scores])
        assert points.recall[place] == pytest.approx(counts.recall)
        assert points.fpr[place] == pytest.approx(counts.fpr)
        assert points.precision[place] == pytest.approx(counts.precision)


@given(rows)
def test_auroc_is_the_chance_of_a_right_order(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = split(pairs)
    if not has_both(labels):
        return
    wins = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for unsafe, high in pairs
        if unsafe
        for other, low in pairs
        if not other
    ]
    assert auroc(labels, scores) == pytest.approx(sum(wins) / len(wins))


def test_auprc_is_average_precision() -> None:
    by_hand = (1 / 3) * (1 / 1) + (1 / 3) * (2 / 3) + (1 / 3) * (3 / 5)
    assert auprc(LABELS, SCORES) == pytest.approx(by_hand)


@given(rows)
def test_auprc_and_auroc_ignore_the_order_of_rows(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = split(pairs)
    back_labels, back_scores = split(pairs[::-1])
    assert auprc(labels, scores) == pytest.approx(auprc(back_labels, back_scores))
    assert auroc(labels, scores) == pytest.approx(auroc(back_labels, back_scores))


def test_a_perfect_score_has_areas_of_one() -> None:
    assert auprc([True, False], [0.9, 0.1]) == 1.0
    assert auroc([True, False], [0.9, 0.1]) == 1.0


@given(rows)
def test_no_other_threshold_has_a_better_f1(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = split(pairs)
    best = threshold_for_f1(labels, scores)
    if best is None:
        return

    def f1(threshold: float) -> float:
        return confusion(labels, [score >= threshold for score in scores]).f1 or 0.0

    assert f1(best) == pytest.approx(max(f1(threshold) for threshold in scores))


@given(rows, st.floats(0, 1))
def test_the_lowest_threshold_within_the_limit_is_chosen(
    pairs: list[tuple[bool, float]], limit: float
) -> None:
    labels, scores = split(pairs)
    if not has_both(labels):
        return
    chosen = threshold_for_fpr(labels, scores, limit=limit)

    def fpr(threshold: float) -> float:
        return confusion(labels, [score >= threshold for score in scores]).fpr or 0.0

    allowed = [score for score in scores if fpr(score) <= limit]
    assert chosen == (min(allowed) if allowed else None)


def test_scores_that_mean_what_they_say_have_no_calibration_error() -> None:
    labels = [True] * 25 + [False] * 75 + [True] * 3 + [False]
    assert calibration_error(labels, [0.25] * 100 + [0.75] * 4) == pytest.approx(0.0)
    assert calibration_error([False, False], [1.0, 1.0]) == 1.0


def test_the_interval_holds_the_value_and_narrows_with_more_rows() -> None:
    generator = np.random.default_rng(1)

    def interval(count: int) -> tuple[float, float, float]:
        labels = generator.random(count) < 0.5
        scores = np.clip(labels * 0.3 + generator.random(count) * 0.7, 0, 1)
        found = bootstrap(auprc, labels, scores, resamples=200)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        return found.low, found.value, found.high

    small, large = interval(60), interval(2000)
    assert small[0] <= small[1] <= small[2]
    assert large[2] - large[0] < small[2] - small[0]


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = (bootstrap(auroc, LABELS, SCORES, resamples=50, seed=3) for _ in range(2))
    assert first == second


def test_an_undefined_statistic_has_no_interval() -> None:
    found = bootstrap(auprc, [True, True], [0.1, 0.2])
    assert (found.value, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize(("labels", "scores"), [([True], [0.1, 0.2]), ([True, False], [0.1, float("nan")])])
def test_rows_that_do_not_fit_together_are_refused(labels: list[bool], scores: list[float]) -> None:
    with pytest.raises(ValueError, match="scores"):
        auprc(labels, scores)
