"""Coverage: what share of the expected facts the answer mentions."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

_ALTERNATIVES = "|"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of expected texts found in the answer; "fee|price" is found when one of its alternatives is.

    For summaries: it sees that a fact's word is there, not that what is said of it is true. Beginnings of words
    count, so that "close" finds "closed".
    """

    name: ClassVar[str] = "coverage"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the sample expects nothing.

        Raises: EvaluatorError for an empty alternative, which every answer contains.
        """
        if not sample.expected:
            return Score.unscored("the sample has no expected facts")
        text = _folded(answer.text)
        found = sum(self._is_in(fact, text) for fact in sample.expected)
        return Score(found / len(sample.expected), f"{found} of {len(sample.expected)} facts mentioned")

    def _is_in(self, fact: str, text: str) -> bool:
        alternatives = [_folded(part) for part in fact.split(_ALTERNATIVES)]
        if not all(alternatives):
            raise EvaluatorError("an expected fact has an empty alternative")
        return any(alternative in text for alternative in alternatives)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
