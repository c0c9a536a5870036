from __future__ import annotations

import pytest

from evaluators.base import Failure, Sample, Scale, Score
from evaluators.exact_match import ExactMatch
from evaluators.summary import ScoreRow, compare_candidates, score_row, scores_frame, summarise


def row(value: float | None, sample: str = "s", repeat: int = 0, **others: str) -> ScoreRow:
    return ScoreRow(
        others.get("candidate", "a"), sample, repeat, "e", value, failure=others.get("failure", "")
    )


def test_unscored_and_failed_rows_are_in_no_mean() -> None:
    rows = [row(1.0, "1"), row(1.0, "2"), row(None, "3"), row(None, "4", failure="ValueError")]
    summary = summarise(scores_frame(rows), Scale.BINARY)
    assert summary.estimate is not None
    assert summary.estimate.value == 1.0
    assert (summary.estimate.count, summary.unscored, summary.failed, summary.missing_items) == (2, 1, 1, 2)


def test_repeats_of_a_sample_are_one_item() -> None:
    rows = [row(float(i % 2), f"s{i}", repeat) for i in range(20) for repeat in range(3)]
    summary = summarise(scores_frame(rows), Scale.BINARY)
    assert summary.estimate is not None
    assert (summary.estimate.count, summary.estimate.observations) == (20, 60)


def test_an_item_with_one_lost_repeat_still_counts() -> None:
    rows = [row(1.0, "1", 0), row(None, "1", 1), row(0.0, "2", 0), row(0.0, "2", 1)]
    summary = summarise(scores_frame(rows), Scale.BINARY)
    assert summary.estimate is not None
    assert (summary.estimate.value, summary.missing_items) == (0.5, 0)


def test_without_scores_there_is_no_estimate() -> None:
    assert summarise(scores_frame([row(None)]), Scale.BINARY).estimate is None
    assert summarise(scores_frame([]), Scale.NUMBER).estimate is None


def test_rates_and_means_have_their_own_intervals() -> None:
    rows = [row(float(i % 3 == 0), str(i)) for i in range(60)]
    for scale, method in ((Scale.BINARY, "Wilson"), (Scale.UNIT, "bootstrap-t")):
        estimate = summarise(scores_frame(rows), scale).estimate
        assert estimate is not None
        assert estimate.interval is not None
        assert estimate.interval.method == method


def test_candidates_are_compared_on_items_both_have() -> None:
    rows = [row(1.0, str(i)) for i in range(30)] + [row(0.0, str(i), candidate="b") for i in range(10, 40)]
    comparison = compare_candidates(scores_frame(rows), "a", "b", Scale.BINARY)
    assert comparison is not None
    assert (comparison.difference.value, comparison.difference.count) == (1.0, 20)
    assert compare_candidates(scores_frame(rows), "a", "nobody", Scale.BINARY) is None


def test_scores_of_several_candidates_are_not_averaged() -> None:
    with pytest.raises(ValueError, match="candidate"):
        summarise(scores_frame([row(1.0), row(0.0, candidate="b")]), Scale.BINARY)


def test_outcomes_become_rows() -> None:
    sample = Sample("s1")
    assert score_row("a", sample, 2, ExactMatch(), Score(1.0, "why")) == ScoreRow(
        "a", "s1", 2, "exact_match", 1.0, "why"
    )
    failed = score_row("a", sample, 0, ExactMatch(), Failure("exact_match", "s1", "ValueError", "broke"))
    assert (failed.value, failed.failure, failed.reason) == (None, "ValueError", "broke")
