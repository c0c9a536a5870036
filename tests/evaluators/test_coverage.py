from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.coverage import Coverage
from evaluators.data import load_builtin

FACTS = Sample("s", expected=("Oslo", "fee|price", "strawberr"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("In Oslo the price of strawberries rose.", 1.0),
        ("In OSLO the FEE rose.", 2 / 3),
        ("Nothing of the kind.", 0.0),
        ("", 0.0),
    ],
)
def test_the_share_of_facts_mentioned(text: str, value: float) -> None:
    assert Coverage().score(FACTS, Answer(text)).value == pytest.approx(value)


def test_nothing_expected_is_unscored() -> None:
    assert Coverage().score(Sample("s"), Answer("x")).value is None


@pytest.mark.parametrize("fact", ["", "a|", " | "])
def test_an_empty_alternative_is_a_mistake_in_the_data(fact: str) -> None:
    with pytest.raises(EvaluatorError, match="empty"):
        Coverage().score(Sample("s", expected=(fact,)), Answer("x"))


def test_every_shipped_text_states_all_its_own_facts() -> None:
    """A copy of the text has full coverage; else no summary could."""
    for sample in load_builtin("summarization").samples:
        assert Coverage().score(sample, Answer(sample.prompt)).value == 1.0, sample.id
