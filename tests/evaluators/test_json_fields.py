from __future__ import annotations

import json

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.data import load_builtin
from evaluators.json_fields import JsonFields
from evaluators.json_schema import JsonSchema

PERSON = Sample("s", expected=('{"name": "Ada Byron", "age": 36, "is_poet": false}',))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"name": "Ada Byron", "age": 36, "is_poet": false}', 1.0),
        ('Here it is: {"name": " ada byron", "age": 36.0, "is_poet": false, "more": 1} Bye!', 1.0),
        ('{"name": "Ada", "age": 36, "is_poet": false}', 2 / 3),
        ('{"name": "Ada Byron", "age": "36"}', 1 / 3),
        ('{"is_poet": 0}', 0.0),
        ("[1]", 0.0),
        ("no idea", 0.0),
        ('{"name": "Ada Byron"', 0.0),
    ],
)
def test_the_share_of_fields_that_are_right(text: str, value: float) -> None:
    assert JsonFields().score(PERSON, Answer(text)).value == pytest.approx(value)


def test_the_object_may_have_to_be_the_whole_answer() -> None:
    strict = JsonFields(whole_answer=True)
    assert strict.score(PERSON, Answer('Sure: {"age": 36}')).value == 0.0
    assert strict.score(PERSON, Answer('{"age": 36}')).value == pytest.approx(1 / 3)


@pytest.mark.parametrize("expected", [(), ("text",), ("{}",), ("[1]",), ('{"a": 1}', '{"a": 2}')])
def test_an_expected_answer_that_is_no_record_is_a_mistake_in_the_data(expected: tuple[str, ...]) -> None:
    with pytest.raises(EvaluatorError, match="JSON object"):
        JsonFields().score(Sample("s", expected=expected), Answer("{}"))


def test_every_shipped_record_is_right_by_itself_and_keeps_its_schema() -> None:
    for sample in load_builtin("extraction").samples:
        answer = Answer(sample.expected[0])
        assert JsonFields().score(sample, answer).value == 1.0
        assert JsonSchema().score(sample, answer).value == 1.0


def test_every_shipped_value_stands_in_its_text() -> None:
    """Copied values, but for case and numbers written as words."""
    words = {1: "one", 2: "two", 3: "three", 6: "six", 10: "ten", 12: "twelve"}
    for sample in load_builtin("extraction").samples:
        text = sample.prompt.split("Text: ")[1].casefold().replace(",", "")
        for value in json.loads(sample.expected[0]).values():
            spelled = [
                str(value).casefold().replace(",", ""),
                f"{value:.2f}" if isinstance(value, float) else "",
            ]
            spelled += [words[value]] if isinstance(value, int) and value in words else []
            assert any(form and form in text for form in spelled), (sample.id, value)
