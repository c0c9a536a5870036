from __future__ import annotations

from guard.base import Direction, Verdict, VerdictState
from guard.evaluate import JudgedRow
from guard.labelled_set import LabelledRow
from guard.threshold import HazardCount, at_threshold


def judged(
    line: int, p_unsafe: float | None, *, is_unsafe: bool, state: VerdictState = VerdictState.SAFE
) -> JudgedRow:
    row = LabelledRow(line, "text", is_unsafe, categories=("S9",) if is_unsafe else ())
    return JudgedRow(row, Verdict("g", Direction.INPUT, state, p_unsafe=p_unsafe, threshold=0.5))


ROWS = [
    judged(1, 0.9, is_unsafe=True),
    judged(2, 0.4, is_unsafe=True),
    judged(3, 0.6, is_unsafe=False),
    judged(4, 0.7, is_unsafe=False),
    judged(5, 0.1, is_unsafe=False),
    judged(6, None, is_unsafe=False, state=VerdictState.UNAVAILABLE),
]


def test_a_lower_threshold_flags_more() -> None:
    strict, lenient = at_threshold(ROWS, 0.4), at_threshold(ROWS, 0.8)
    assert (strict.counts.recall, strict.counts.fpr) == (1.0, 2 / 3)
    assert (lenient.counts.recall, lenient.counts.fpr) == (0.5, 0.0)
    assert lenient.hazards == (HazardCount("S9", 1, 2),)


def test_a_score_at_the_threshold_is_flagged() -> None:
    assert at_threshold(ROWS, 0.9).counts.true_positives == 1


def test_false_positives_come_worst_first() -> None:
    assert [row.row.line for row in at_threshold(ROWS, 0.5).false_positives] == [4, 3]


def test_what_was_not_judged_counts_nowhere() -> None:
    counts = at_threshold(ROWS, 0.0).counts
    assert counts.true_positives + counts.false_positives + counts.true_negatives == 5


def test_a_verdict_without_a_score_stands_at_any_threshold() -> None:
    rows = [judged(1, None, is_unsafe=False, state=VerdictState.UNSAFE), judged(2, None, is_unsafe=False)]
    assert [row.row.line for row in at_threshold(rows, 1.0).false_positives] == [1]
    assert at_threshold([], 0.5).counts.recall is None
