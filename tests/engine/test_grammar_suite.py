"""The JSON-Schema test suite (draft 2020-12) against the list of enforced keywords.

A schema is either refused, or nothing the suite calls invalid can be generated. That all valid instances can be
generated is not claimed: llguidance writes an object's properties in the schema's order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from tests.engine.test_grammar import COMPILER, TOKENIZER
from tests.engine.tiny_models import EOS, VOCABULARY
from workbench.core.errors import UnsupportedParameter

SUITE = Path(__file__).parents[1] / "data" / "json-schema-2020-12"


class Case(NamedTuple):
    """One schema of the suite with its instances."""

    name: str
    schema: Any
    tests: list[dict[str, Any]]


def cases() -> Iterator[Case]:
    for path in sorted(SUITE.glob("*.json")):
        for group in json.loads(path.read_text()):
            yield Case(f"{path.stem}: {group['description']}", group["schema"], group["tests"])


def can_generate(schema: Any, value: Any) -> bool:
    """True when this value, written without white space, is an output the grammar allows."""
    matcher = COMPILER.json(schema, "response_format").matcher()
    allowed = torch.ones(VOCABULARY, dtype=torch.bool)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for token in [*TOKENIZER(text, add_special_tokens=False)["input_ids"], EOS]:
        if matcher.is_complete:
            return bool(token == EOS)
        matcher.fill(allowed)
        if not allowed[token]:
            return False
        if token != EOS:
            matcher.take(token)
    return True


def test_nothing_the_suite_calls_invalid_can_be_generated() -> None:
    enforced, wrong = 0, []
    valid = generated = 0
    for case in cases():
        if not isinstance(case.schema, dict):
            continue
        try:
            COMPILER.json(case.schema, "response_format")
        except UnsupportedParameter:
            continue
        enforced += 1
        for test in case.tests:
            is_generated = can_generate(case.schema, test["data"])
            valid += test["valid"]
            generated += test["valid"] and is_generated
            if is_generated and not test["valid"]:
                wrong.append(f"{case.name}: {test['description']}")
    assert wrong == []
    assert enforced > 100
    assert generated / valid > 0.8


@pytest.mark.parametrize(
    "name", ["not", "if-then-else", "contains", "uniqueItems", "propertyNames", "dependentRequired"]
)
def test_keywords_off_the_list_are_refused_in_every_case(name: str) -> None:
    for group in json.loads((SUITE / f"{name}.json").read_text()):
        with pytest.raises(UnsupportedParameter):
            COMPILER.json(group["schema"], "response_format")
