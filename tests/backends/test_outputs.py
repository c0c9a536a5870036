"""Content, reasoning and tool calls are told apart by the model's own markers, however the stream is cut."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backends.outputs import OutputPlan, OutputReader, call_schema, plan_output, tools_as_text
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    FinishReason,
    Message,
    Role,
    Tool,
    ToolChoice,
    ToolChoiceMode,
)

PLAIN = ChatPrompt((Message(Role.USER, "x"),))
TOOLED = ChatPrompt((Message(Role.USER, "x"),), tools=(Tool("f"), Tool("g")))
FORCED = ChatPrompt(
    (Message(Role.USER, "x"),), tools=(Tool("f"),), tool_choice=ToolChoice(ToolChoiceMode.REQUIRED)
)
THINKS, HERMES, MISTRAL = "<think></think>", "<tool_call>", "[TOOL_CALLS]"


def read(
    plan: OutputPlan, text: str, cuts: list[int]
) -> tuple[str, str, list[tuple[str, object]], FinishReason, int]:
    """Content, reasoning, calls, finish and tokens counted as reasoning for a text cut at these places."""
    reader = OutputReader(plan)
    borders = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(borders)] or [text]
    content, reasoning, calls, counted = "", "", [], 0
    finish = None
    for number, piece in enumerate(pieces):
        end = FinishReason.STOP if number == len(pieces) - 1 else None
        delta, is_reasoning = reader.read(Delta(0, piece, token_count=1, finish_reason=end))
        content, reasoning = content + delta.content, reasoning + delta.reasoning
        calls += [(call.name or "", json.loads(call.arguments)) for call in delta.tool_calls]
        counted += is_reasoning
        finish = delta.finish_reason
    assert finish is not None
    return content, reasoning, calls, finish, counted


cuts = st.lists(st.integers(0, 80), max_size=8)


@settings(max_examples=100, deadline=None)
@given(cuts=cuts)
def test_reasoning_is_told_apart_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    plan = plan_output(PLAIN, "<assistant>", THINKS, None)
    content, reasoning, _, finish, _ = read(plan, "<think>Hm, two.</think>The answer is 2 < 3.", cuts)
    assert (content, reasoning, finish) == ("The answer is 2 < 3.", "Hm, two.", FinishReason.STOP)


@settings(max_examples=60, deadline=None)
@given(cuts=cuts)
def test_a_template_that_opens_the_reasoning_itself_is_understood(cuts: list[int]) -> None:
    plan = plan_output(PLAIN, "<assistant>\n<think>\n", THINKS, None)
    content, reasoning, *_ = read(plan, "Let me see.</think>Yes.", cuts)
    assert (content, reasoning) == ("Yes.", "Let me see.")


def test_an_answer_without_reasoning_is_passed_on_letter_by_letter() -> None:
    plan = plan_output(PLAIN, "<assistant>", THINKS, None)
    assert read(plan, "  a <b> \n\n c  ", [3, 7])[:2] == ("  a <b> \n\n c  ", "")
    assert plan_output(PLAIN, "<assistant>", "no markers", None) == OutputPlan()


@settings(max_examples=100, deadline=None)
@given(cuts=cuts)
def test_hermes_calls_are_read_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    plan = plan_output(TOOLED, "tools: <tool_call>", HERMES, None)
    text = (
        'Sure.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>\n'
        '<tool_call>{"name":"g","arguments":{}}</tool_call>'
    )
    content, _, calls, finish, _ = read(plan, text, cuts)
    assert calls == [("f", {"a": 1}), ("g", {})]
    assert finish is FinishReason.TOOL_CALLS
    assert content.strip() == "Sure."


@settings(max_examples=60, deadline=None)
@given(cuts=cuts)
def test_a_bare_json_call_is_read_and_other_json_is_content(cuts: list[int]) -> None:
    plan = plan_output(TOOLED, "<|python_tag|>", "python_tag", None)
    assert read(plan, '{"name": "f", "parameters": {"a": 1}}', cuts)[2] == [("f", {"a": 1})]
    content, _, calls, finish, _ = read(plan, '{"colour": "red"}', cuts)
    assert (content, calls, finish) == ('{"colour": "red"}', [], FinishReason.STOP)


def test_mistrals_list_of_calls_is_read() -> None:
    plan = plan_output(TOOLED, "x", MISTRAL, None)
    assert read(plan, '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}}]', [5, 14, 20])[2] == [
        ("f", {"a": 1})
    ]


def test_broken_calls_are_shown_rather_than_lost() -> None:
    plan = plan_output(TOOLED, "<tool_call>", HERMES, None)
    content, _, calls, finish, _ = read(plan, "<tool_call>{oops</tool_call>", [])
    assert (calls, finish) == ([], FinishReason.STOP)
    assert "{oops" in content


def test_a_forced_call_is_one_list() -> None:
    plan = plan_output(FORCED, "x", "no markers", None)
    content, _, calls, finish, _ = read(plan, '[{"name":"f","arguments":{"a":1}}]', [4, 9])
    assert (content, calls, finish) == ("", [("f", {"a": 1})], FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    ("only", "is_parallel", "most"), [(None, True, None), (None, False, 1), ("f", True, 1)]
)
def test_the_schema_of_calls_names_each_tool(only: str | None, is_parallel: bool, most: int | None) -> None:
    tools = (Tool("f", "", {"type": "object", "properties": {}}), Tool("g"))
    schema = call_schema(tools, only=only, is_parallel=is_parallel)
    assert schema.get("maxItems") == most
    assert schema["minItems"] == 1
    names = [part["properties"]["name"]["const"] for part in schema["items"].get("anyOf", [schema["items"]])]
    assert names == ([only] if only else ["f", "g"])


def test_tools_as_text_names_every_tool_and_the_format() -> None:
    text = tools_as_text((Tool("f", "does f", {"type": "object"}),))
    assert '"name": "f"' in text
    assert "<tool_call>" in text
