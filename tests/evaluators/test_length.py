from __future__ import annotations

import pytest

from evaluators.base import Answer, Sample
from evaluators.length import Length, LengthLimit, Unit
from workbench.core.chat import FinishReason

TEXT = "Dr. Ada came. She saw!\n\nWhat next?"


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (Unit.WORDS, TEXT, 7),
        (Unit.CHARACTERS, "né", 2),
        (Unit.SENTENCES, TEXT, 4),
        (Unit.SENTENCES, "no end", 1),
        (Unit.SENTENCES, "3.14 is a number.", 1),
        (Unit.SENTENCES, "これは本です。あれは？", 2),
        (Unit.LINES, TEXT, 2),
        (Unit.WORDS, "", 0),
        (Unit.SENTENCES, " ", 0),
    ],
)
def test_lengths(unit: Unit, text: str, value: int) -> None:
    assert Length(unit).score(Sample("s"), Answer(text)).value == value


@pytest.mark.parametrize(
    ("text", "value"), [("", 0), ("one", 1), ("one two three", 1), ("one two three four", 0)]
)
def test_limits_are_inclusive(text: str, value: int) -> None:
    assert LengthLimit(least=1, most=3).score(Sample("s"), Answer(text)).value == value


def test_a_truncated_answer_never_keeps_its_limit() -> None:
    cut = Answer("short", FinishReason.LENGTH)
    assert LengthLimit(most=100).score(Sample("s"), cut).value == 0
    assert "cut off" in Length().score(Sample("s"), cut).reason
