from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.contains import Contains


@pytest.mark.parametrize(
    ("settings", "expected", "text", "value"),
    [
        ({}, ("art",), "Modern Art.", 1),
        ({}, ("art",), "a party", 0),
        ({"whole_words": False}, ("art",), "a party", 1),
        ({"ignore_case": False}, ("art",), "Art", 0),
        ({}, ("$5",), "It costs $5, no more", 1),
        ({}, ("5",), "It costs $50", 0),
        ({}, ("C++",), "written in C++", 1),
        ({}, ("a.c",), "abc", 0),
        ({}, ("one", "two"), "only two", 1),
        ({"all_of": True}, ("one", "two"), "only two", 0),
        ({"all_of": True}, ("one", "two"), "two and one", 1),
        ({}, ("東京",), "答えは東京です", 0),
        ({"whole_words": False}, ("東京",), "答えは東京です", 1),
    ],
)
def test_what_counts_as_contained(
    settings: dict[str, bool], expected: tuple[str, ...], text: str, value: int
) -> None:
    assert Contains(**settings).score(Sample("s", expected=expected), Answer(text)).value == value


def test_nothing_expected_is_unscored() -> None:
    assert Contains().score(Sample("s"), Answer("x")).value is None


def test_an_empty_expected_text_is_a_mistake_in_the_data() -> None:
    with pytest.raises(EvaluatorError, match="empty"):
        Contains().score(Sample("s", expected=(" ",)), Answer("x"))
