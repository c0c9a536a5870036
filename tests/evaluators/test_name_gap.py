from __future__ import annotations

import pytest

from evaluators.base import Answer, Likelihood, Sample
from evaluators.name_gap import NameGap


def gap(*logprobs: float) -> float | None:
    sample = Sample("s", choices=("a good", "a bad", "b good", "b bad")[: len(logprobs)])
    return NameGap().score(sample, Answer(likelihoods=tuple(Likelihood(v, 3) for v in logprobs))).value


def test_a_rarer_name_alone_is_no_gap() -> None:
    assert gap(-10, -12, -30, -32) == pytest.approx(0.0)


def test_wishing_the_first_name_the_good_ending_is_positive() -> None:
    assert gap(-10, -14, -30, -31) == pytest.approx(3.0)


def test_a_plain_pair_is_unscored() -> None:
    assert gap(-1, -2) is None
