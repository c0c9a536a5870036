from __future__ import annotations

import pytest

from evaluators.base import Answer, Sample
from evaluators.exact_match import ExactMatch

PARIS = Sample("s", expected=("Paris", "City of Paris"))


@pytest.mark.parametrize(
    ("settings", "text", "value"),
    [
        ({}, "Paris", 1),
        ({}, "  paris\n", 1),
        ({}, "CITY  of paris", 1),
        ({}, "Paris.", 0),
        ({}, "It is Paris", 0),
        ({}, "", 0),
        ({"ignore_case": False}, "paris", 0),
        ({"ignore_punctuation": True}, "Paris.", 1),
        ({"ignore_articles": True}, "the Paris", 1),
    ],
)
def test_what_counts_as_equal(settings: dict[str, bool], text: str, value: int) -> None:
    assert ExactMatch(**settings).score(PARIS, Answer(text)).value == value


def test_composed_and_combining_accents_are_equal() -> None:
    assert ExactMatch().score(Sample("s", expected=("café",)), Answer("cafe\u0301")).value == 1


def test_dropping_punctuation_loses_the_sign() -> None:
    """The surprise the setting's docstring warns of."""
    assert ExactMatch(ignore_punctuation=True).score(Sample("s", expected=("-5",)), Answer("5")).value == 1
    assert ExactMatch().score(Sample("s", expected=("-5",)), Answer("5")).value == 0


def test_nothing_expected_is_unscored() -> None:
    assert ExactMatch().score(Sample("s"), Answer("x")).value is None


def test_the_reason_quotes_nothing() -> None:
    assert "secret" not in ExactMatch().score(PARIS, Answer("secret")).reason
