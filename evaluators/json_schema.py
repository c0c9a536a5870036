"""JSON schema: the answer is JSON that the schema accepts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

_FENCE = re.compile(r"\A\s*```[\w-]*[ \t]*\n(?P<body>.*?)\n?\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """1 when the whole answer is one JSON value that the schema accepts, else 0.

    The schema is `schema`, as JSON text, or else the sample's `metadata["schema"]`; without either any JSON
    will do. References are resolved inside the schema only: nothing is ever fetched.
    """

    name: ClassVar[str] = "json_schema"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    schema: str = ""
    allow_fence: bool = False
    """Whether JSON inside one Markdown code fence counts, too."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """0 for text that is no JSON, with the place of the first fault; its content is not quoted.

        Raises: EvaluatorError when the schema itself is wrong or refers to something outside.
        """
        validator = self._validator(sample)
        fenced = _FENCE.match(answer.text) if self.allow_fence else None
        try:
            value = json.loads(fenced["body"] if fenced else answer.text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return Score.passed(False, "cut off by the token limit" if answer.is_truncated else "not JSON")
        try:
            fault = next(validator.iter_errors(value), None)
        except (Unresolvable, RecursionError) as error:
            raise EvaluatorError("the schema has a reference that leads nowhere or in circles") from error
        if fault is None:
            return Score.passed(True)
        # Keys of the answer are its text, so the rule that failed is named and not where.
        return Score.passed(False, f"breaks the schema's {fault.validator!s}")

    def _validator(self, sample: Sample) -> Validator:
        schema = self._schema(sample)
        if isinstance(schema, bool):
            return Draft202012Validator(schema, registry=Registry())
        if not isinstance(schema, dict):
            raise EvaluatorError("a JSON schema is an object, true or false")
        kind: type[Validator] = validators.validator_for(schema, default=Draft202012Validator)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            raise EvaluatorError(f"the JSON schema is wrong at {error.json_path}") from error
        return kind(schema, registry=Registry())

    def _schema(self, sample: Sample) -> JsonValue:
        if not self.schema:
            return sample.metadata.get("schema", True)
        try:
            schema: JsonValue = json.loads(self.schema)
        except ValueError as error:
            raise EvaluatorError("the schema setting is not JSON") from error
        return schema


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
