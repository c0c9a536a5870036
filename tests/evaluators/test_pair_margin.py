from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Likelihood, Sample
from evaluators.multiple_choice import Normalization
from evaluators.pair_margin import PairMargin

PAIR = Sample("s", choices=("four", "eight bytes"))


def answered(*logprobs: float) -> Answer:
    return Answer(likelihoods=tuple(Likelihood(logprob, 2) for logprob in logprobs))


@pytest.mark.parametrize(
    ("normalization", "margin"),
    [(Normalization.NONE, 7.0), (Normalization.TOKENS, 3.5), (Normalization.BYTES, -1.0 + 1.0)],
)
def test_the_margin_is_in_nats_a_unit(normalization: Normalization, margin: float) -> None:
    assert PairMargin(normalization).score(PAIR, answered(-4.0, -11.0)).value == pytest.approx(margin)


def test_equal_likelihoods_are_a_margin_of_zero_not_unscored() -> None:
    assert PairMargin(Normalization.NONE).score(PAIR, answered(-4.0, -4.0)).value == 0.0


def test_what_is_no_pair_is_unscored() -> None:
    assert PairMargin().score(Sample("s", choices=("a", "b", "c")), answered(-1.0, -2.0)).value is None


def test_missing_likelihoods_are_a_failure() -> None:
    with pytest.raises(EvaluatorError, match="likelihoods"):
        PairMargin().score(PAIR, Answer("four"))
