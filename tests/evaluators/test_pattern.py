from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.pattern import Pattern


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        (r"\d{4}-\d{2}-\d{2}", "on 2024-05-06.", 1),
        (r"^\d+$", "first line\n42\nlast", 1),
        (r"\A\d+\Z", "first line\n42\nlast", 0),
        (r"yes", "YES", 0),
        (r"(?i)yes", "YES", 1),
    ],
)
def test_a_match_anywhere_counts(pattern: str, text: str, value: int) -> None:
    assert Pattern(pattern).score(Sample("s"), Answer(text)).value == value


def test_texts_that_must_not_appear() -> None:
    rule = Pattern("lorem", ignore_case=True, should_match=False)
    assert rule.score(Sample("s"), Answer("clean")).value == 1
    assert rule.score(Sample("s"), Answer("Lorem ipsum")).value == 0


def test_a_sample_may_bring_its_own_patterns() -> None:
    sample = Sample("s", expected=("colou?r",))
    assert Pattern().score(sample, Answer("the color")).value == 1
    assert Pattern().score(Sample("s"), Answer("x")).value is None


def test_what_is_no_pattern_is_a_failure_not_a_zero() -> None:
    with pytest.raises(EvaluatorError, match="regular expression"):
        Pattern("(").score(Sample("s"), Answer("x"))


def test_a_pattern_that_explodes_is_stopped() -> None:
    with pytest.raises(EvaluatorError, match="too long"):
        Pattern(r"(a|aa)+\Z").score(Sample("s"), Answer("a" * 60 + "b"))
