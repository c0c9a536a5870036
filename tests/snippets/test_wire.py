"""The wire body is what the API reads back as the very same request, and holds nothing that was not set."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from openai.resources.chat.completions import Completions as ChatCompletions
from openai.resources.completions import Completions

from snippets import Endpoint, Moderation, ModerationMode, ModerationSide, SnippetRequest, wire_body
from snippets.examples import BASE_URL, EXAMPLES, MODEL
from snippets.wire import OPENAI_FIELDS
from tests.snippets.matrix import as_the_api_reads_it
from workbench.api.schemas.chat import ChatBody
from workbench.api.schemas.completions import CompletionBody
from workbench.core.chat import (
    ChatPrompt,
    GenerationRequest,
    Message,
    OutputFormat,
    Prompt,
    Role,
    TextPrompt,
    TokenPrompt,
    Tool,
    ToolChoice,
    ToolChoiceMode,
)
from workbench.core.errors import UnsupportedParameter
from workbench.core.params import GenerationParams

HELLO = ChatPrompt((Message(Role.USER, "Hello"),))


def request_for(prompt: Prompt, **fields: object) -> SnippetRequest:
    return SnippetRequest(replace(GenerationRequest(MODEL, prompt), **fields), BASE_URL)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "example", [name for name, request in EXAMPLES.items() if request.moderation is None]
)
def test_the_api_reads_the_same_request_back(example: str) -> None:
    request = EXAMPLES[example]
    body = wire_body(request)
    if request.endpoint is Endpoint.CHAT:
        read = ChatBody.model_validate(body).request()
    else:
        (read,) = CompletionBody.model_validate(body).requests()
    assert read == as_the_api_reads_it(request.generation)


@pytest.mark.parametrize(("prompt", "name"), [(HELLO, "messages"), (TextPrompt("Hello"), "prompt")])
def test_a_bare_request_has_two_fields(prompt: Prompt, name: str) -> None:
    assert list(wire_body(request_for(prompt))) == ["model", name]


def test_values_that_are_false_are_values() -> None:
    zeros = GenerationParams(
        temperature=0.0, max_tokens=0, top_p=0.0, top_k=0, seed=0, ignore_eos=False, stop=[]
    )
    body = wire_body(request_for(HELLO, params=zeros, logprobs=0))
    assert body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0.0,
        "max_tokens": 0,
        "top_p": 0.0,
        "top_k": 0,
        "stop": [],
        "seed": 0,
        "ignore_eos": False,
        "logprobs": True,
        "top_logprobs": 0,
    }


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(ToolChoiceMode.AUTO, None), (ToolChoiceMode.NONE, "none"), (ToolChoiceMode.REQUIRED, "required")],
)
def test_a_tool_choice_is_sent_unless_it_is_the_usual_one(mode: ToolChoiceMode, expected: str | None) -> None:
    prompt = replace(HELLO, tools=(Tool("look"),), tool_choice=ToolChoice(mode))
    assert wire_body(request_for(prompt)).get("tool_choice") == expected


def test_moderation_follows_openais_shape() -> None:
    block = ModerationSide(ModerationMode.BLOCK)
    request = replace(request_for(HELLO), moderation=Moderation("embedded", output=block))
    assert wire_body(request)["moderation"] == {"model": "embedded", "policy": {"output": {"mode": "block"}}}
    strict = replace(block, threshold=0.0, categories=("S1", "S10"))
    request = replace(request, moderation=Moderation("embedded", input=strict))
    assert wire_body(request)["moderation"] == {
        "model": "embedded",
        "policy": {"input": {"mode": "block", "threshold": 0.0, "categories": ["S1", "S10"]}},
    }
    request = replace(request, moderation=Moderation("embedded"))
    assert wire_body(request)["moderation"] == {"model": "embedded"}


@pytest.mark.parametrize(
    ("request_fields", "param"),
    [
        ({"prompt": HELLO, "best_of": 2}, "best_of"),
        ({"prompt": HELLO, "echo": True}, "echo"),
        ({"prompt": HELLO, "prompt_logprobs": True}, "prompt_logprobs"),
        ({"prompt": TextPrompt("Hello"), "prompt_logprobs": True}, "prompt_logprobs"),
        ({"prompt": TextPrompt("Hello"), "output_format": OutputFormat()}, "response_format"),
        ({"prompt": TextPrompt("Hello", add_special_tokens=False)}, "add_special_tokens"),
    ],
)
def test_what_the_wire_cannot_carry_is_refused_by_name(request_fields: dict[str, object], param: str) -> None:
    with pytest.raises(UnsupportedParameter) as refusal:
        request_for(**request_fields)  # type: ignore[arg-type]
    assert refusal.value.param == param


def test_a_guard_cannot_read_token_ids() -> None:
    with pytest.raises(UnsupportedParameter, match="guard"):
        replace(request_for(TokenPrompt((1,))), is_guarded=True)


@pytest.mark.parametrize(
    ("endpoint", "method"),
    [(Endpoint.CHAT, ChatCompletions.create), (Endpoint.COMPLETIONS, Completions.create)],
)
def test_the_python_client_takes_each_field_where_it_is_put(endpoint: Endpoint, method: object) -> None:
    arguments = inspect.signature(method).parameters  # type: ignore[arg-type]
    sent = {
        name for request in EXAMPLES.values() if request.endpoint is endpoint for name in wire_body(request)
    }
    assert sent & arguments.keys() == sent & OPENAI_FIELDS[endpoint]
    assert arguments.keys() >= OPENAI_FIELDS[endpoint]
