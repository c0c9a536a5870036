from __future__ import annotations

from dataclasses import replace

from workbench.ui.compare.outcome import Answered, outcome_html
from workbench.ui.thread.metrics import AnswerMetrics

FAST = AnswerMetrics(
    ttft_seconds=0.05, tokens_per_second=80.0, prompt_tokens=9, completion_tokens=20, cost=0.000001,
    finish_reason="stop", seconds=0.3, conditions="isolated",
)  # fmt: skip
SLOW = replace(FAST, ttft_seconds=0.09, tokens_per_second=40.0, completion_tokens=5, finish_reason="length")


def test_every_columns_numbers_stand_in_one_table_with_the_best_marked() -> None:
    html = outcome_html([Answered("A · <small>", "Red", FAST), Answered("B · large", "Blue", SLOW)])
    assert "A · &lt;small&gt;" in html
    assert "Max tokens reached" in html
    assert html.count("(best)") == 2
    assert "<b>50 ms" in html
    assert "<b>80.0" in html


def test_a_short_answer_is_not_best_for_being_short() -> None:
    shorter = replace(FAST, completion_tokens=1, cost=0.0, seconds=0.1)
    assert "(best)" not in outcome_html([Answered("A", "Red", FAST), Answered("B", "R", shorter)])


def test_nothing_is_best_among_numbers_of_different_conditions() -> None:
    beside = replace(SLOW, conditions="isolated, 1 other call beside")
    html = outcome_html([Answered("A", "Red", FAST), Answered("B", "Blue", beside)])
    assert "(best)" not in html
    assert "isolated, 1 other call beside" in html


def test_a_number_that_is_not_known_is_a_dash() -> None:
    empty = replace(SLOW, ttft_seconds=None, tokens_per_second=None, cost=None)
    assert outcome_html([Answered("A", "Red", FAST), Answered("B", "", empty)]).count("<td>–</td>") == 3


def test_differences_are_folded_beneath_where_there_are_two_answers() -> None:
    assert "<ins>Blue</ins>" in outcome_html([Answered("A", "Red", FAST), Answered("B", "Blue", SLOW)])
    assert "differ" not in outcome_html([Answered("A", "Red", FAST), Answered("B", "", SLOW)])


def test_one_answer_is_compared_with_nothing() -> None:
    assert outcome_html([Answered("A", "Red", FAST), Answered("B", "", None)]) == ""
