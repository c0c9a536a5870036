from __future__ import annotations

import json
from typing import Any

import pytest

from workbench.api.body import parse
from workbench.api.schemas.chat import ChatBody
from workbench.api.schemas.completions import CompletionBody
from workbench.api.schemas.tokenize import TokenizeBody
from workbench.core.chat import (
    ChatPrompt,
    GenerationRequest,
    Message,
    Role,
    TextPrompt,
    TokenPrompt,
    Tool,
    ToolCall,
    ToolChoice,
    ToolChoiceMode,
)
from workbench.core.errors import InvalidRequest, UnsupportedParameter

USER = [{"role": "user", "content": "Hi"}]
FUNCTION = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
}


def chat(**fields: Any) -> GenerationRequest:
    body = {"model": "m", "messages": USER, **fields}
    return parse(ChatBody, json.dumps(body).encode()).request()


def completions(**fields: Any) -> tuple[GenerationRequest, ...]:
    return parse(CompletionBody, json.dumps({"model": "m", **fields}).encode()).requests()


def chat_prompt(**fields: Any) -> ChatPrompt:
    prompt = chat(**fields).prompt
    assert isinstance(prompt, ChatPrompt)
    return prompt


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [*USER, {"role": "user", "content": 5}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "odd"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "tool", "content": "4"}]}, "messages[0].tool_call_id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]},
            "messages[0].tool_calls[0].function",
        ),
        (
            {"messages": [{"role": "assistant", "reasoning": "a", "reasoning_content": "b"}]},
            "messages[0].reasoning",
        ),
        ({"temperature": "0.7"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens"),
        ({"stop": 5}, "stop"),
        ({"stop": ["a", 5]}, "stop[1]"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": ""}, "stop"),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": True}, "n"),
        ({"seed": 2**70}, "seed"),
        ({"logit_bias": {"50": 200}}, "logit_bias.50"),
        ({"logit_bias": {"word": 1}}, "logit_bias.word"),
        ({"logit_bias": [1]}, "logit_bias"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [FUNCTION, FUNCTION]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "perhaps"}, "tool_choice"),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice",
        ),
        ({"continue_final_message": True, "add_generation_prompt": True}, "continue_final_message"),
        ({"metadata": {"team": 5}}, "metadata.team"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        (
            {"reasoning_effort": "low", "chat_template_kwargs": {"reasoning_effort": "low"}},
            "reasoning_effort",
        ),
    ],
)
def test_a_wrong_value_is_a_400_that_names_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(**fields)
    assert (caught.value.param, caught.value.code, caught.value.status) == (param, None, 400)
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"colour": "red"}, "colour"),
        ({"functions": []}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"moderation": {"model": "guard", "strictness": 1}}, "moderation.strictness"),
        ({"prompt_cache_options": {"mode": "explicit"}}, "prompt_cache_options"),
        ({"store": True}, "store"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"verbosity": "low"}, "verbosity"),
        ({"prompt_cache_retention": "24h"}, "prompt_cache_retention"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": True}},
            "stream_options.include_obfuscation",
        ),
        ({"stream": True, "stream_options": {"padding": 1}}, "stream_options.padding"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {}, "description": "b"},
                }
            },
            "response_format.json_schema.description",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]}]},
            "messages[0].content[0].x",
        ),
        ({"messages": [{"role": "user", "content": "a", "mood": "calm"}]}, "messages[0].mood"),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
        ({"messages": [{"role": "assistant", "content": "a", "refusal": "b"}]}, "messages[0].refusal"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        chat(**fields)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")


@pytest.mark.parametrize(
    "fields",
    [
        {"store": False},
        {"service_tier": "auto"},
        {"service_tier": "default"},
        {"modalities": ["text"]},
        {"verbosity": "medium"},
        {"prompt_cache_retention": "in_memory"},
        {"user": "u", "safety_identifier": "s", "prompt_cache_key": "k", "metadata": {"team": "a"}},
        {"response_format": {"type": "text"}},
        {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
        {"n": 1, "logprobs": False, "stream": False, "stop": [], "logit_bias": {}},
    ],
)
def test_a_field_that_asks_for_nothing_changes_nothing(fields: dict[str, Any]) -> None:
    asked, plain = chat(**fields), chat()
    assert asked.prompt == plain.prompt
    assert asked.output_format is None
    assert asked.params.stop_strings() == ()
    assert (asked.n, asked.logprobs) == (1, None)


def test_null_counts_as_absent_even_for_unknown_fields() -> None:
    nulls = dict.fromkeys(
        ("temperature", "stop", "n", "tools", "store", "stream_options", "audio", "no_such_field")
    )
    assert chat(**nulls) == chat()


def test_a_message_as_the_sdk_gives_it_back_is_accepted() -> None:
    earlier = {
        "role": "assistant", "content": None, "refusal": None, "annotations": [], "audio": None,
        "function_call": None, "reasoning": "r", "reasoning_content": "r",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }  # fmt: skip
    prompt = chat_prompt(messages=[*USER, earlier, {"role": "tool", "tool_call_id": "c1", "content": "4"}])
    assert prompt.messages[1:] == (
        Message(Role.ASSISTANT, "", tool_calls=(ToolCall("c1", "f", "{}"),), reasoning="r"),
        Message(Role.TOOL, "4", tool_call_id="c1"),
    )


def test_content_is_made_plain_text() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    prompt = chat_prompt(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": parts, "name": "ann"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "user"},
        ]
    )
    assert prompt.messages == (
        Message(Role.SYSTEM, "Be brief."),
        Message(Role.USER, "one\ntwo", "ann"),
        Message(Role.ASSISTANT, "No."),
        Message(Role.USER, ""),
    )


def test_tools_and_their_choice_reach_the_prompt() -> None:
    tool = Tool("f", "d", {"type": "object"})
    assert chat_prompt(tools=[FUNCTION]).tools == (tool,)
    assert chat_prompt(tools=[FUNCTION]).tool_choice == ToolChoice(ToolChoiceMode.AUTO)
    assert chat_prompt().tool_choice == ToolChoice(ToolChoiceMode.NONE)
    named = chat_prompt(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "f"}})
    assert named.tool_choice == ToolChoice(ToolChoiceMode.NAMED, "f")
    assert not chat_prompt(tools=[FUNCTION], parallel_tool_calls=False).parallel_tool_calls


def test_template_fields_reach_the_prompt() -> None:
    prompt = chat_prompt(chat_template_kwargs={"enable_thinking": None, "a": [1]}, reasoning_effort="low")
    assert prompt.template_kwargs == {"enable_thinking": None, "a": [1], "reasoning_effort": "low"}
    assert prompt.add_generation_prompt
    continued = chat_prompt(continue_final_message=True)
    assert continued.continue_final_message
    assert not continued.add_generation_prompt
    assert not chat_prompt(add_generation_prompt=False).add_generation_prompt


def test_structure_and_logprobs_reach_the_request() -> None:
    schema = {"type": "object", "properties": {"a": {"default": None}}}
    asked = chat(
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}},
        logprobs=True, top_logprobs=3, n=4, x_effective=True, max_completion_tokens=7,
    )  # fmt: skip
    assert asked.output_format is not None
    assert (asked.output_format.schema, asked.output_format.name) == (schema, "x")
    assert (asked.logprobs, asked.n, asked.report_effective, asked.params.max_tokens) == (3, 4, True, 7)
    assert chat(logprobs=True).logprobs == 0
    anything = chat(response_format={"type": "json_object"}).output_format
    assert anything is not None
    assert anything.schema is None


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Hi", (TextPrompt("Hi"),)),
        (["Hi", "Ho"], (TextPrompt("Hi"), TextPrompt("Ho"))),
        ([1, 0], (TokenPrompt((1, 0)),)),
        ([[1], [2, 3]], (TokenPrompt((1,)), TokenPrompt((2, 3)))),
    ],
)
def test_a_prompt_may_be_text_or_token_ids_one_or_several(
    prompt: object, expected: tuple[object, ...]
) -> None:
    assert tuple(asked.prompt for asked in completions(prompt=prompt)) == expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt[1]"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"prompt": [1, "a"]}, "prompt[1]"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": [-1]}, "prompt[0]"),
        ({"prompt": [True]}, "prompt[0]"),
        ({"prompt": {}}, "prompt"),
        ({"prompt": ["a"] * 17}, "prompt"),
        ({"prompt": "a", "logprobs": 6}, "logprobs"),
        ({"prompt": "a", "logprobs": True}, "logprobs"),
        ({"prompt": "a", "best_of": 17}, "best_of"),
        ({"prompt": "a", "n": 3, "best_of": 2}, "best_of"),
        ({"prompt": "a", "best_of": 2, "stream": True}, "best_of"),
    ],
)
def test_a_wrong_completion_field_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        completions(**fields)
    assert (caught.value.param, caught.value.code) == (param, None)


@pytest.mark.parametrize("field", ["suffix", "messages", "tools", "max_completion_tokens", "top_logprobs"])
def test_completions_refuse_what_they_do_not_know(field: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        completions(prompt="a", **{field: "x"})
    assert caught.value.param == field


def test_echo_with_logprobs_asks_for_the_prompts_own() -> None:
    (asked,) = completions(prompt="a", echo=True, logprobs=2, max_tokens=0, n=2, best_of=3)
    assert (asked.echo, asked.prompt_logprobs, asked.logprobs, asked.params.max_tokens) == (True, True, 2, 0)
    assert (asked.n, asked.best_of) == (2, 3)
    (plain,) = completions(prompt="a", echo=True)
    assert not plain.prompt_logprobs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "messages": USER}, "prompt"),
        ({"prompt": "a", "tools": []}, "tools"),
        ({"prompt": "a", "continue_final_message": True}, "continue_final_message"),
        ({"messages": USER, "add_special_tokens": True}, "add_special_tokens"),
    ],
)
def test_tokenize_takes_a_text_or_messages(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(TokenizeBody, json.dumps({"model": "m", **fields}).encode())
    assert caught.value.param == param


def test_special_tokens_are_added_to_text_unless_told_otherwise() -> None:
    def normal(**fields: object) -> object:
        return parse(TokenizeBody, json.dumps({"model": "m", "prompt": "a", **fields}).encode()).normal()

    assert normal() == TextPrompt("a", add_special_tokens=True)
    assert normal(add_special_tokens=False) == TextPrompt("a", add_special_tokens=False)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"model": NaN}', b"[" * 500, b'{"model": "\\ud800"}'],
)
def test_a_body_that_is_no_json_object_is_a_400(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse(ChatBody, raw)


def test_a_long_wrong_list_gives_one_short_message() -> None:
    with pytest.raises(InvalidRequest) as caught:
        completions(prompt=[*range(100), *["a"] * 100_000])
    assert caught.value.param == "prompt[100]"
    assert len(caught.value.message) < 200
