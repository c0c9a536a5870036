"""Exact match: the whole answer equals one of the expected ones."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1 when the answer equals an expected one, else 0; outer whitespace never counts."""

    name: ClassVar[str] = "exact_match"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    ignore_case: bool = True
    ignore_punctuation: bool = False
    """Drop ASCII punctuation: "Paris." equals "Paris"; mind that "-5" then equals "5"."""
    ignore_articles: bool = False
    """Drop a, an and the, as in SQuAD's scoring."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the sample expects nothing."""
        if not sample.expected:
            return Score.unscored("the sample has no expected answer")
        given = self.normalize(answer.text)
        is_right = any(given == self.normalize(expected) for expected in sample.expected)
        return Score.passed(is_right, "" if is_right else "differs from every expected answer")

    def normalize(self, text: str) -> str:
        """The text as it is compared: NFC, runs of whitespace as one space, and what the settings drop."""
        text = unicodedata.normalize("NFC", text)
        if self.ignore_case:
            text = text.casefold()
        if self.ignore_punctuation:
            text = text.translate(_PUNCTUATION)
        words = text.split()
        if self.ignore_articles:
            words = [word for word in words if word.casefold() not in _ARTICLES]
        return " ".join(words)
