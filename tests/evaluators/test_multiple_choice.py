from __future__ import annotations

from collections.abc import Sequence

import pytest

from evaluators.base import Answer, EvaluatorError, Likelihood, Sample
from evaluators.multiple_choice import MultipleChoice, Normalization, answer_by_likelihood

SKY = Sample("s", prompt="The sky is", choices=("blue", "made of cheese"), expected=("blue",))


def answered(*logprobs: float, tokens: int = 2) -> Answer:
    return Answer(likelihoods=tuple(Likelihood(logprob, tokens) for logprob in logprobs))


def test_the_likeliest_choice_decides() -> None:
    assert MultipleChoice().score(SKY, answered(-4.0, -30.0)).value == 1
    assert MultipleChoice().score(SKY, answered(-40.0, -30.0)).value == 0


def test_normalization_changes_which_choice_wins() -> None:
    """The first choice has 4 bytes and 1 token, the second 14 bytes and 3 tokens."""
    answer = Answer(likelihoods=(Likelihood(-5.0, 1), Likelihood(-12.0, 3)))
    assert MultipleChoice(Normalization.NONE).score(SKY, answer).value == 1
    assert MultipleChoice(Normalization.TOKENS).score(SKY, answer).value == 0
    assert MultipleChoice(Normalization.BYTES).score(SKY, answer).value == 0
    assert MultipleChoice(Normalization.BYTES).values(SKY, answer) == pytest.approx((-1.25, -12 / 14))


def test_bytes_are_counted_in_utf8() -> None:
    sample = Sample("s", choices=("né", "no"), expected=("né",))
    assert MultipleChoice().values(sample, answered(-3.0, -3.0)) == pytest.approx((-1.0, -1.5))


def test_likelihoods_that_tell_nothing_are_unscored() -> None:
    """A server that returns the same likelihood for everything must not score as pure chance."""
    sample = Sample("s", choices=("aa", "bb", "cc"), expected=("aa",))
    assert MultipleChoice().score(sample, answered(-1.0, -1.0, -1.0)).value is None
    assert MultipleChoice().score(sample, answered(-1.0, -1.0, -9.0)).value is None


@pytest.mark.parametrize(
    "sample", [Sample("s", choices=("a", "b")), Sample("s", choices=("a",), expected=("a",))]
)
def test_without_a_right_choice_there_is_no_score(sample: Sample) -> None:
    assert MultipleChoice().score(sample, answered(-1.0, -2.0)).value is None


@pytest.mark.parametrize(
    "answer",
    [answered(-1.0), answered(0.5, -1.0), answered(float("nan"), -1.0), answered(float("-inf"), -1.0), Answer("blue"),
     answered(-1.0, -2.0, tokens=0)],
)  # fmt: skip
def test_impossible_likelihoods_are_a_failure_not_a_zero(answer: Answer) -> None:
    with pytest.raises(EvaluatorError, match="likelihood"):
        MultipleChoice().score(SKY, answer)


def test_every_choice_is_asked_behind_the_prompt() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def scorer(prompt: str, continuations: Sequence[str]) -> list[Likelihood]:
        asked.append((prompt, tuple(continuations)))
        return [Likelihood(-float(len(text)), 1) for text in continuations]

    answer = answer_by_likelihood(SKY, scorer)
    assert asked == [("The sky is", (" blue", " made of cheese"))]
    assert [likelihood.logprob for likelihood in answer.likelihoods] == [-5.0, -15.0]


def test_whole_sentences_are_asked_without_a_separator() -> None:
    asked: list[str] = []

    def scorer(prompt: str, continuations: Sequence[str]) -> list[Likelihood]:
        asked.extend(continuations)
        return [Likelihood(-1.0, 1) for _ in continuations]

    answer_by_likelihood(Sample("s", choices=("One.", "Two.")), scorer)
    assert asked == ["One.", "Two."]
