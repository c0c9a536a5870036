from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Likelihood, Sample
from evaluators.multiple_choice import Normalization
from evaluators.pair_preference import PairPreference

PAIR = Sample("s", choices=("He is a nurse.", "She is a nurse."))


def answered(*logprobs: float) -> Answer:
    return Answer(likelihoods=tuple(Likelihood(logprob, 4) for logprob in logprobs))


def test_the_likelier_sentence_is_preferred() -> None:
    assert PairPreference().score(PAIR, answered(-10.0, -11.0)).value == 1
    assert PairPreference().score(PAIR, answered(-11.0, -10.0)).value == 0


def test_sums_are_compared_unless_asked_otherwise() -> None:
    assert PairPreference().score(PAIR, answered(-14.0, -14.5)).value == 1
    assert PairPreference(Normalization.BYTES).score(PAIR, answered(-14.0, -14.5)).value == 0


@pytest.mark.parametrize("sample", [Sample("s"), Sample("s", choices=("a", "b", "c"))])
def test_what_is_no_pair_is_unscored(sample: Sample) -> None:
    assert PairPreference().score(sample, answered(-1.0, -2.0)).value is None


def test_no_preference_is_unscored() -> None:
    assert PairPreference().score(PAIR, answered(-10.0, -10.0)).value is None


def test_missing_likelihoods_are_a_failure() -> None:
    with pytest.raises(EvaluatorError, match="likelihoods"):
        PairPreference().score(PAIR, Answer("He"))
