from __future__ import annotations

import pytest

from guard.base import Direction, Hazard, Verdict, VerdictState
from workbench.ui.thread.guard_mark import guard_html
from workbench.ui.thread.messages import foot_html
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.session import Turn


def verdict(state: VerdictState, direction: Direction = Direction.OUTPUT, reason: str = "") -> Verdict:
    hazards = (Hazard("S7", "Privacy"),) if state is VerdictState.UNSAFE else ()
    return Verdict("embedded", direction, state, 0.9, 0.5, hazards, reason=reason)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (VerdictState.SAFE, "Answer checked 0.90"),
        (VerdictState.UNSAFE, "Answer flagged: Privacy 0.90"),
        (VerdictState.UNAVAILABLE, "Answer not judged"),
    ],
)
def test_a_mark_is_plain_words_and_a_silent_guard_is_never_safe(state: VerdictState, words: str) -> None:
    mark = guard_html([verdict(state)])
    assert words in mark
    assert "by embedded" in mark
    assert "embedded on the output" in mark
    assert "0.90 (unsafe from 0.50)" in mark


def test_message_and_answer_have_a_mark_each_and_the_guard_is_named_once() -> None:
    mark = guard_html([verdict(VerdictState.UNSAFE, Direction.INPUT), verdict(VerdictState.SAFE)])
    assert "Message flagged: Privacy" in mark
    assert "Answer checked" in mark
    assert mark.count("by embedded") == 1


def test_an_answer_that_was_cut_is_called_blocked_and_its_message_is_not() -> None:
    verdicts = [verdict(VerdictState.UNSAFE, Direction.INPUT), verdict(VerdictState.UNSAFE)]
    metrics = AnswerMetrics(0.05, 30.0, 5, 7, None, "content_filter", 0.3)
    foot = foot_html(Turn("q", "An", metrics=metrics, verdicts=verdicts))
    assert "Answer blocked: Privacy" in foot
    assert "Message flagged: Privacy" in foot


def test_what_limits_a_verdict_is_said() -> None:
    mark = guard_html([verdict(VerdictState.SAFE, reason="the text does not look like English")])
    assert "Answer checked 0.90, with limits" in mark
    assert "does not look like English" in mark


def test_without_a_guard_there_is_no_mark() -> None:
    assert guard_html([]) == ""
