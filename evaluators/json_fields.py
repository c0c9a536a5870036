"""JSON fields: what share of the expected fields an extracted record has right."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonFields:
    """The share of the expected record's fields that the answer's JSON object has with the same value.

    The expected answer is the record as JSON. Text is compared without case and outer whitespace, numbers by value;
    fields nobody asked for change nothing. By default the object may stand in other text, so that this measures
    what was extracted; how it was written is what `json_schema` measures.
    """

    name: ClassVar[str] = "json_fields"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    whole_answer: bool = False
    """Whether the object must be the whole answer."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """0 for an answer without a JSON object.

        Raises: EvaluatorError when the expected answer is not one JSON object with fields.
        """
        expected = _expected_record(sample)
        text = answer.text if self.whole_answer else _outermost_object(answer.text)
        given = _parsed(text)
        if not isinstance(given, dict):
            return Score(0.0, "cut off by the token limit" if answer.is_truncated else "no JSON object")
        right = sum(name in given and _is_same(value, given[name]) for name, value in expected.items())
        return Score(right / len(expected), f"{right} of {len(expected)} fields right")


def _expected_record(sample: Sample) -> dict[str, JsonValue]:
    record = _parsed(sample.expected[0]) if len(sample.expected) == 1 else None
    if not isinstance(record, dict) or not record:
        raise EvaluatorError("the expected answer is not one JSON object")
    return record


def _outermost_object(text: str) -> str:
    found = _OBJECT.search(text)
    return found.group() if found else ""


def _parsed(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _is_same(expected: JsonValue, given: JsonValue) -> bool:
    if isinstance(expected, str) and isinstance(given, str):
        return expected.strip().casefold() == given.strip().casefold()
    if isinstance(expected, bool) or isinstance(given, bool):
        return expected is given
    return expected == given
