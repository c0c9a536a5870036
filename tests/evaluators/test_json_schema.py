from __future__ import annotations

import json
import socket

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.json_schema import JsonSchema
from workbench.core.chat import FinishReason

PERSON = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
        "required": ["name"],
        "additionalProperties": False,
    }
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"name": "Ada", "age": 36}', 1),
        (' {"name": "Ada"}\n', 1),
        ('{"name": "Ada", "age": -1}', 0),
        ('{"age": 36}', 0),
        ('{"name": "Ada", "note": "x"}', 0),
        ("[]", 0),
        ('Here you are: {"name": "Ada"}', 0),
        ('```json\n{"name": "Ada"}\n```', 0),
        ('{"name": "Ada"', 0),
        ("", 0),
        ("NaN", 0),
    ],
)
def test_the_whole_answer_must_keep_the_schema(text: str, value: int) -> None:
    assert JsonSchema(PERSON).score(Sample("s"), Answer(text)).value == value


def test_one_code_fence_may_be_allowed() -> None:
    rule = JsonSchema(PERSON, allow_fence=True)
    assert rule.score(Sample("s"), Answer('```json\n{"name": "Ada"}\n```\n')).value == 1
    assert rule.score(Sample("s"), Answer('Sure!\n```json\n{"name": "Ada"}\n```')).value == 0


def test_a_sample_may_bring_its_own_schema() -> None:
    sample = Sample("s", metadata={"schema": {"enum": ["yes", "no"]}})
    assert JsonSchema().score(sample, Answer('"yes"')).value == 1
    assert JsonSchema().score(sample, Answer('"maybe"')).value == 0
    assert JsonSchema().score(Sample("s"), Answer("[1, 2]")).value == 1


def test_the_draft_is_the_schemas_own() -> None:
    draft4 = json.dumps(
        {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}
    )
    assert JsonSchema(draft4).score(Sample("s"), Answer("3")).value == 0


def test_references_inside_the_schema_resolve() -> None:
    schema = json.dumps({"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}})
    assert JsonSchema(schema).score(Sample("s"), Answer("[1]")).value == 1
    assert JsonSchema(schema).score(Sample("s"), Answer('["x"]')).value == 0


def test_a_reference_to_the_outside_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> socket.socket:
        pytest.fail("a schema's reference was fetched")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(EvaluatorError, match="nowhere"):
        JsonSchema('{"$ref": "http://schemas.example/x.json"}').score(Sample("s"), Answer("1"))


@pytest.mark.parametrize("schema", ['{"type": "strnig"}', "not json", "3", '{"$ref": "#"}'])
def test_a_wrong_schema_is_a_failure_not_a_zero(schema: str) -> None:
    with pytest.raises(EvaluatorError, match="schema"):
        JsonSchema(schema).score(Sample("s"), Answer("1"))


def test_a_truncated_answer_says_so_and_no_reason_quotes_the_answer() -> None:
    cut = JsonSchema(PERSON).score(Sample("s"), Answer('{"secret', FinishReason.LENGTH))
    assert (cut.value, cut.reason) == (0.0, "cut off by the token limit")
    assert "secret" not in JsonSchema(PERSON).score(Sample("s"), Answer('{"secret": 1}')).reason


def test_deep_nesting_is_no_crash() -> None:
    assert JsonSchema(PERSON).score(Sample("s"), Answer("[" * 100_000)).value == 0
