"""Numeric: the number in the answer is the expected one, within a tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

# A sign counts only where it cannot be a hyphen or a range ("10-12"); commas only in groups of three.
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−+](?=[\d.$€£]))?[$€£]?(?P<sign_after>[-−+](?=\d))?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3}(?![\w.]))?(?:\s?/\s?(?P<denominator>\d+(?!\.?\d)))?\s?(?P<percent>%)?"
)
_LONGEST_NUMBER = 400


@dataclass(frozen=True, slots=True)
class Numeric:
    """1 when the answer's last number is within the tolerances of an expected number, else 0.

    It reads "$1,234.50", "-3", "1e6", "3/4" and "12%"; a percent sign does not scale, so "12%" is 12.
    """

    name: ClassVar[str] = "numeric"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    absolute_tolerance: float = 1e-9
    relative_tolerance: float = 0.0
    """As a share of the expected number: 0.01 for one percent. The wider of both tolerances holds."""
    use_first: bool = False
    """Read the answer's first number instead of its last."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the sample expects nothing; an answer without a number is wrong.

        Raises: EvaluatorError when an expected answer is not a number.
        """
        if not sample.expected:
            return Score.unscored("the sample has no expected answer")
        expected = [self._expected(text) for text in sample.expected]
        given = numbers_in(answer.text)
        if not given:
            return Score.passed(False, "no number in the answer")
        number = given[0] if self.use_first else given[-1]
        is_right = any(self._is_near(number, value) for value in expected)
        return Score.passed(is_right, f"one of {len(given)} numbers compared")

    def _expected(self, text: str) -> Fraction:
        numbers = numbers_in(text)
        if len(numbers) != 1:
            raise EvaluatorError("an expected answer is not one number")
        return numbers[0]

    def _is_near(self, given: Fraction, expected: Fraction) -> bool:
        allowed = max(Fraction(self.absolute_tolerance), Fraction(self.relative_tolerance) * abs(expected))
        return abs(given - expected) <= allowed


def numbers_in(text: str) -> tuple[Fraction, ...]:
    """The numbers in a text, in order, exact."""
    found = (_as_number(match) for match in _NUMBER.finditer(text) if len(match.group()) <= _LONGEST_NUMBER)
    return tuple(number for number in found if number is not None)


def _as_number(match: re.Match[str]) -> Fraction | None:
    sign = match["sign"] or match["sign_after"] or ""
    try:
        value = Fraction(Decimal(match["digits"].replace(",", "") + (match["exponent"] or "")))
    except InvalidOperation:
        return None
    if match["denominator"] is not None:
        if int(match["denominator"]) == 0:
            return None
        value /= int(match["denominator"])
    return -value if sign in ("-", "−") else value
