"""Contains: an expected answer stands somewhere in the text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score


@dataclass(frozen=True, slots=True)
class Contains:
    """1 when the answer contains an expected text (or, with `all_of`, each of them), else 0."""

    name: ClassVar[str] = "contains"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    ignore_case: bool = True
    whole_words: bool = True
    """Whether "art" is missing from "party"."""
    all_of: bool = False

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the sample expects nothing.

        Raises: EvaluatorError for an empty expected text, which every answer contains.
        """
        if not sample.expected:
            return Score.unscored("the sample has no expected answer")
        found = [self._is_in(expected, answer.text) for expected in sample.expected]
        is_right = all(found) if self.all_of else any(found)
        return Score.passed(is_right, f"{sum(found)} of {len(found)} expected texts found")

    def _is_in(self, expected: str, text: str) -> bool:
        needle = unicodedata.normalize("NFC", expected.strip())
        if not needle:
            raise EvaluatorError("an expected text is empty")
        pattern = re.escape(needle)
        if self.whole_words:
            # Lookarounds instead of \b: they hold also where the text itself begins with a sign, as "$5"
            # does.
            pattern = rf"(?<!\w){pattern}(?!\w)"
        flags = re.IGNORECASE if self.ignore_case else 0
        return re.search(pattern, unicodedata.normalize("NFC", text), flags) is not None
