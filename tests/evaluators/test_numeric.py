from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.numeric import Numeric, numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("She makes $18 a day.", ["18"]),
        ("$1,234.50 or 1,234,567", ["1234.5", "1234567"]),
        ("1,2,3", ["1", "2", "3"]),
        ("between 10-12 apples", ["10", "12"]),
        ("minus -3 and −4", ["-3", "-4"]),
        ("-$5 and $-6", ["-5", "-6"]),
        ("about 6.02e23 of them", ["602000000000000000000000"]),
        ("3/4 of it", ["0.75"]),
        ("12% of it", ["12"]),
        (".5 and 0.25.", ["0.5", "0.25"]),
        ("The answer is 42.", ["42"]),
        ("**18**", ["18"]),
        ("version 1.2.3 of gpt4", ["1.2"]),
        ("x2 and h2o", []),
        ("1/0", []),
        ("", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: list[str]) -> None:
    assert list(numbers_in(text)) == [Fraction(number) for number in numbers]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12))
def test_every_plain_decimal_is_read_back(value: object) -> None:
    assert numbers_in(f"so it is {value:f}.") == (Fraction(str(value)),)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    assert all(isinstance(number, Fraction) for number in numbers_in(text))


@pytest.mark.parametrize(
    ("settings", "expected", "text", "value"),
    [
        ({}, "18", "9 + 9 = 18", 1),
        ({}, "18", "18 eggs, so 9 remain", 0),
        ({"use_first": True}, "18", "18 eggs, so 9 remain", 1),
        ({}, "0.1", "0.1000000000001", 1),
        ({"absolute_tolerance": 0.5}, "10", "10.5", 1),
        ({"absolute_tolerance": 0.5}, "10", "10.51", 0),
        ({"relative_tolerance": 0.01}, "-200", "-202", 1),
        ({"relative_tolerance": 0.01}, "-200", "-203", 0),
        ({}, "1,000", "1000", 1),
        ({}, "18", "eighteen", 0),
    ],
)
def test_tolerances(settings: dict[str, float], expected: str, text: str, value: int) -> None:
    assert Numeric(**settings).score(Sample("s", expected=(expected,)), Answer(text)).value == value  # type: ignore[arg-type]


def test_any_expected_number_will_do() -> None:
    assert Numeric().score(Sample("s", expected=("0.5", "50")), Answer("50%")).value == 1


def test_nothing_expected_is_unscored() -> None:
    assert Numeric().score(Sample("s"), Answer("1")).value is None


def test_an_expected_answer_without_a_number_is_a_mistake_in_the_data() -> None:
    with pytest.raises(EvaluatorError, match="not one number"):
        Numeric().score(Sample("s", expected=("many",)), Answer("1"))
