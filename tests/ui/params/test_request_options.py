from __future__ import annotations

import pytest

from workbench.core.chat import OutputFormat, Tool
from workbench.core.errors import InvalidRequest
from workbench.ui.params.request_options import (
    RAW_EXAMPLE,
    SCHEMA_EXAMPLE,
    TOOLS_EXAMPLE,
    Options,
    raw_mark_html,
    read_options,
    read_schema,
    read_tools,
    schema_fault,
    schema_mark_html,
    tools_mark_html,
)

SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
BARE = '[{"name": "look", "description": "Looks.", "parameters": {"type": "object"}}]'
WRAPPED = f'[{{"type": "function", "function": {BARE[1:-1]}}}]'


def test_nothing_typed_asks_for_nothing() -> None:
    assert read_options(["", "  ", False, ""]) == Options()
    assert "wb-mark" not in schema_mark_html("") + tools_mark_html("")


def test_what_is_typed_is_asked_for() -> None:
    options = read_options([SCHEMA, BARE, True, None])
    assert options.output_format is not None
    assert options.output_format.schema == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    assert options.logprobs == 5


@pytest.mark.parametrize("text", [BARE, WRAPPED])
def test_tools_may_be_bare_or_as_the_api_takes_them(text: str) -> None:
    assert read_tools(text) == (Tool("look", "Looks.", {"type": "object"}),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1, column 2"),
        ("[]", "must be an object"),
        ('{"type": "text"}', "at type"),
        ('{"properties": {"a": {"minimum": "x"}}}', "properties/a/minimum"),
    ],
)
def test_a_broken_schema_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^JSON Schema: ") as refused:
        read_schema(text)
    assert words in refused.value.message
    assert "wb-invalid" in schema_mark_html(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "must be a list"),
        ("[1]", "function 1"),
        ('[{"name": "a b"}]', "function 1 name"),
        ("[", "line 1"),
    ],
)
def test_broken_tools_are_refused_with_their_place(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Tools: ") as refused:
        read_tools(text)
    assert words in refused.value.message
    assert "wb-invalid" in tools_mark_html(text)


def test_marks_say_that_it_is_valid() -> None:
    assert "A valid schema" in schema_mark_html(SCHEMA)
    assert "May call look" in tools_mark_html(BARE)


def test_an_empty_box_offers_an_example_and_every_example_is_valid() -> None:
    for mark, example in (
        (schema_mark_html, SCHEMA_EXAMPLE),
        (tools_mark_html, TOOLS_EXAMPLE),
        (raw_mark_html, RAW_EXAMPLE),
    ):
        assert "data-wb-example" in mark("")
        assert "wb-valid" in mark(example)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [('{"city": "Rome"}', ""), ('{"city": 5}', "at city"), ("{}", "the top"), ("Rome", "not JSON")],
)
def test_an_answers_fault_is_named(answer: str, fault: str) -> None:
    output_format = read_schema(SCHEMA)
    assert output_format is not None
    found = schema_fault(answer, output_format)
    assert (fault in found) if fault else (found == "")


def test_without_a_schema_any_object_will_do() -> None:
    assert schema_fault("{}", OutputFormat()) == ""
    assert schema_fault("[]", OutputFormat()) != ""
