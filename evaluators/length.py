"""Length: how long an answer is, or whether it keeps to limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score


class Unit(StrEnum):
    """What is counted."""

    WORDS = "words"
    """Runs of characters between whitespace."""
    CHARACTERS = "characters"
    SENTENCES = "sentences"
    """Ends of sentences (. ! ? and their full-width forms), at least one for any text."""
    LINES = "lines"
    """Lines that are not blank."""


_SENTENCE_ENDS = ".!?。！？"


@dataclass(frozen=True, slots=True)
class Length:
    """The answer's length in `unit`s; an empty answer has length 0."""

    name: ClassVar[str] = "length"
    scale: ClassVar[Scale] = Scale.NUMBER
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = None

    unit: Unit = Unit.WORDS

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Always a number."""
        cut = "cut off by the token limit" if answer.is_truncated else ""
        return Score(float(count(answer.text, self.unit)), cut)


@dataclass(frozen=True, slots=True)
class LengthLimit:
    """1 when the answer's length lies within `least` ... `most` and the token limit did not cut it off, else 0."""

    name: ClassVar[str] = "length_limit"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    unit: Unit = Unit.WORDS
    least: int = 1
    most: int | None = None

    def score(self, sample: Sample, answer: Answer) -> Score:
        """0 for a truncated answer whatever its length: nobody knows how long it would have become."""
        if answer.is_truncated:
            return Score.passed(False, "cut off by the token limit")
        length = count(answer.text, self.unit)
        is_within = self.least <= length and (self.most is None or length <= self.most)
        return Score.passed(is_within, f"{length} {self.unit}")


def count(text: str, unit: Unit) -> int:
    """The text's length in this unit."""
    if unit is Unit.WORDS:
        return len(text.split())
    if unit is Unit.CHARACTERS:
        return len(text)
    if unit is Unit.LINES:
        return sum(bool(line.strip()) for line in text.splitlines())
    ends = sum(
        char in _SENTENCE_ENDS and (after.isspace() or char in "。！？")
        for char, after in zip(text, text[1:] + " ", strict=True)
    )
    return max(ends, 1 if text.strip() else 0)
