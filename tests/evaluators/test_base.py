from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from evaluators.base import Answer, EvaluatorError, Failure, Need, Sample, Scale, Score, evaluate

CANARY = "canary-7c1f"


@dataclass(frozen=True, slots=True)
class Raising:
    """Raises what it is given; `leaky` messages quote the answer, as foreign code may."""

    name: ClassVar[str] = "raising"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    kind: type[Exception]
    message: str

    def score(self, sample: Sample, answer: Answer) -> Score:
        raise self.kind(self.message)


def test_an_evaluator_that_cannot_judge_is_a_row_not_a_crash() -> None:
    failure = evaluate(Raising(EvaluatorError, "no schema"), Sample("s1"), Answer("x"))
    assert failure == Failure("raising", "s1", "EvaluatorError", "no schema")


@pytest.mark.parametrize("kind", [ValueError, KeyError, RecursionError, AssertionError])
def test_a_foreign_error_is_a_row_that_quotes_nothing(kind: type[Exception]) -> None:
    failure = evaluate(Raising(kind, f"bad answer {CANARY}"), Sample("s1"), Answer(CANARY))
    assert isinstance(failure, Failure)
    assert failure.kind == kind.__name__
    assert CANARY not in repr(failure)


def test_an_interrupt_is_not_swallowed() -> None:
    class Stop(BaseException):
        pass

    with pytest.raises(Stop):
        evaluate(Raising(Stop, ""), Sample("s1"), Answer())  # type: ignore[arg-type]


def test_unscored_is_not_zero() -> None:
    assert Score.unscored("why").value is None
    assert Score.passed(False).value == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Score(value)


def test_the_correct_choice_is_the_expected_one() -> None:
    assert Sample("s", choices=("a", "b"), expected=("b",)).correct_choice == 1
    assert Sample("s", choices=("a", "b")).correct_choice is None
