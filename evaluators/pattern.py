"""Pattern: a regular expression finds something in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import regex

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

_SECONDS_PER_ANSWER = 1.0


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""1 when `pattern` matches somewhere in the answer, else 0; begin it with ^ or \A to bind it.

    An empty `pattern` takes the sample's expected texts as patterns. A pattern that runs too long on an
    answer (catastrophic backtracking) is a failure of the evaluator, not of the answer.
    """

    name: ClassVar[str] = "pattern"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    pattern: str = ""
    ignore_case: bool = False
    should_match: bool = True
    """False turns it round: 1 when nothing matches, for texts that must not appear."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when there is no pattern.

        Raises: EvaluatorError for a pattern that is none, or that takes too long.
        """
        patterns = (self.pattern,) if self.pattern else sample.expected
        if not patterns:
            return Score.unscored("there is neither a pattern nor an expected answer")
        is_match = any(self._matches(pattern, answer.text) for pattern in patterns)
        return Score.passed(is_match is self.should_match, "matches" if is_match else "does not match")

    def _matches(self, pattern: str, text: str) -> bool:
        flags = regex.MULTILINE | (regex.IGNORECASE if self.ignore_case else 0)
        try:
            return regex.search(pattern, text, flags=flags, timeout=_SECONDS_PER_ANSWER) is not None
        except regex.error as error:
            raise EvaluatorError(f"the pattern is not a regular expression: {error}") from error
        except TimeoutError as error:
            raise EvaluatorError("the pattern takes too long: it backtracks catastrophically") from error
