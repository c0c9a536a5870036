from __future__ import annotations

import pytest

from evaluators.base import Answer, Likelihood, Sample
from evaluators.reason_consistency import ReasonConsistency, reason_context, stated_choice

SAMPLE = Sample("s", "Long form.", choices=("yes", "no"), metadata={"question": "Is ice cold?"})
YES, NO = Likelihood(-1.0, 1), Likelihood(-9.0, 1)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("It is frozen. Answer: yes", 0),
        ("The answer is clear. It is frozen.\nAnswer: No.", 1),
        ("Answer: yes, not no", 0),
        ("It is frozen, so yes.", None),
        ("Answer: yesterday", None),
    ],
)
def test_the_stated_answer_stands_behind_the_last_marker(text: str, position: int | None) -> None:
    assert stated_choice(SAMPLE, text) == position


@pytest.mark.parametrize(("likelihoods", "value"), [((YES, NO), 1.0), ((NO, YES), 0.0)])
def test_consistent_is_what_the_reason_leads_back_to(
    likelihoods: tuple[Likelihood, ...], value: float
) -> None:
    answer = Answer("It is frozen. Answer: yes", likelihoods=likelihoods)
    assert ReasonConsistency().score(SAMPLE, answer).value == value


def test_without_a_stated_answer_there_is_no_score() -> None:
    assert ReasonConsistency().score(SAMPLE, Answer("It is frozen.")).value is None


def test_the_model_reads_its_reason_and_not_its_answer() -> None:
    context = reason_context(SAMPLE, "It is frozen. Answer: yes")
    assert context == "Question: Is ice cold?\nReason: It is frozen.\nAnswer:"
