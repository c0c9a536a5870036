"""A judge counts only where the order of the answers does not matter to it."""

from __future__ import annotations

import pytest

from evaluators.pairwise import Judgement, Side, longer_won, pair_question, verdict_of
from evaluators.stats import Outcome


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("A is clearer. Verdict: A", Side.A),
        ("Verdict: [[B]]", Side.B),
        ("**Verdict:** tie", Side.TIE),
        ("Verdict: A at first, then Verdict: B", Side.B),
        ("Answer A is better.", None),
        ("Verdict: Amazing", None),
    ],
)
def test_the_last_verdict_counts(text: str, side: Side | None) -> None:
    assert verdict_of(text) is side


@pytest.mark.parametrize(
    ("forward", "backward", "outcome", "flipped"),
    [
        (Side.A, Side.B, Outcome.FIRST, False),
        (Side.B, Side.A, Outcome.SECOND, False),
        (Side.TIE, Side.TIE, Outcome.TIE, False),
        (Side.A, Side.A, None, True),
        (Side.A, Side.TIE, None, True),
        (Side.A, None, None, False),
    ],
)
def test_a_judge_that_flips_abstains(
    forward: Side, backward: Side | None, outcome: Outcome | None, flipped: bool
) -> None:
    judged = Judgement(forward, backward)
    assert (judged.outcome, judged.is_flipped) == (outcome, flipped)


def test_the_answers_stand_where_they_were_put() -> None:
    question = pair_question("Say {hi}", "one {x}", "two")
    assert question.index("one {x}") < question.index("[Answer B]") < question.index("two")


def test_the_effect_of_length_counts_decided_pairs_of_different_length() -> None:
    judged = [
        (Outcome.FIRST, 10, 5),
        (Outcome.SECOND, 10, 5),
        (Outcome.SECOND, 5, 10),
        (Outcome.TIE, 5, 10),
        (Outcome.FIRST, 5, 5),
    ]
    found = longer_won(judged)
    assert found is not None
    assert found.value == pytest.approx(2 / 3)
    assert found.count == 3
    assert longer_won([(Outcome.TIE, 1, 2)]) is None
