"""JSON schemas: what is enforced is enforced, what is not is refused by name."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
import torch

from tests.engine.tiny_models import EOS, VOCABULARY, byte_tokenizer
from workbench.core.errors import InvalidRequest, UnsupportedParameter
from workbench.engine.grammar import ANNOTATIONS, ENFORCED, GrammarCompiler

TOKENIZER = byte_tokenizer()
COMPILER = GrammarCompiler(TOKENIZER, VOCABULARY, frozenset({EOS}))


def walk(schema: Any, seed: int, most: int = 400) -> str:
    """A random output the grammar allows, as text; endings are preferred once it grows long."""
    rng = random.Random(seed)
    matcher = COMPILER.json(schema, "response_format").matcher()
    ids: list[int] = []
    allowed = torch.ones(VOCABULARY, dtype=torch.bool)
    for _ in range(most):
        matcher.fill(allowed)
        choices = allowed.nonzero().flatten().tolist()
        assert choices
        closing = [token for token in choices if token == EOS or TOKENIZER.decode([token]) in ('"', "}", "]")]
        token = (
            rng.choice(closing) if closing and (len(ids) > 40 or rng.random() < 0.3) else rng.choice(choices)
        )
        if token == EOS:
            break
        matcher.take(token)
        ids.append(token)
        if matcher.is_complete:
            break
    return str(TOKENIZER.decode(ids))


SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
    {"enum": ["yes", "no", 3, None]},
    {"type": "string", "pattern": "^[a-c]{2,4}$"},
    {"type": "integer", "minimum": 3, "maximum": 17},
    {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 5}]},
    {
        "$defs": {"x": {"const": 7}},
        "type": "array",
        "items": {"$ref": "#/$defs/x"},
        "minItems": 2,
        "maxItems": 2,
    },
    {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "null"}], "items": False, "minItems": 2},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=[json.dumps(schema)[:40] for schema in SCHEMAS])
def test_every_random_walk_through_the_grammar_is_valid(schema: dict[str, Any]) -> None:
    for seed in range(12):
        text = walk(schema, seed)
        jsonschema.validate(json.loads(text), schema)
        assert "\n" not in text


@pytest.mark.parametrize(
    "keyword",
    ["not", "if", "contains", "uniqueItems", "propertyNames", "dependentRequired", "unevaluatedItems", "x"],
)
def test_a_keyword_that_is_not_enforced_is_refused_by_name(keyword: str) -> None:
    schemas: tuple[dict[str, Any], ...] = (
        {keyword: {}},
        {"type": "object", "properties": {"p": {keyword: {}}}},
    )
    for schema in schemas:
        with pytest.raises(UnsupportedParameter, match=keyword) as caught:
            COMPILER.json(schema, "response_format")
        assert caught.value.param == "response_format"


def test_a_property_may_be_named_like_a_keyword() -> None:
    schema = {
        "type": "object", "properties": {"not": {"type": "null"}}, "required": ["not"], "additionalProperties": False,
    }  # fmt: skip
    assert walk(schema, 0) == '{"not":null}'


def test_annotations_change_nothing() -> None:
    assert walk({"const": 1, **dict.fromkeys(ANNOTATIONS - {"$schema", "$id"}, "x")}, 0) == "1"
    assert not ENFORCED & ANNOTATIONS


def test_no_schema_is_any_object() -> None:
    assert isinstance(json.loads(walk(None, 3)), dict)


def test_a_wrong_or_huge_schema_is_refused() -> None:
    with pytest.raises(UnsupportedParameter, match="Pointer"):
        COMPILER.json({"$ref": "#/nowhere"}, "tools")
    with pytest.raises(InvalidRequest, match="64 KiB"):
        COMPILER.json({"description": "x" * 70_000}, "response_format")


def test_ids_beyond_the_tokenizer_are_never_allowed() -> None:
    allowed = torch.ones(VOCABULARY + 40, dtype=torch.bool)
    COMPILER.json({"type": "string"}, "response_format").matcher().fill(allowed)
    assert not allowed[len(TOKENIZER) :].any()
