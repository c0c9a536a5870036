"""The JSON body of a request, exactly as the API receives it: the fields that were set and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from snippets.literals import Json
from snippets.request import Endpoint, Moderation, ModerationSide, SnippetRequest
from workbench.core.chat import (
    ChatPrompt,
    GenerationRequest,
    Message,
    OutputFormat,
    TextPrompt,
    TokenPrompt,
    Tool,
    ToolChoice,
    ToolChoiceMode,
)

_SHARED_FIELDS = frozenset(
    {
        "model",
        "temperature",
        "max_tokens",
        "top_p",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "logit_bias",
        "n",
        "logprobs",
        "stream",
    }
)
OPENAI_FIELDS: Mapping[Endpoint, frozenset[str]] = {
    Endpoint.CHAT: _SHARED_FIELDS
    | {
        "messages",
        "top_logprobs",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "moderation",
    },
    Endpoint.COMPLETIONS: _SHARED_FIELDS | {"prompt", "best_of", "echo"},
}
"""The fields that OpenAI's Python client takes as arguments; all others travel in its `extra_body`."""


def wire_body(request: SnippetRequest) -> dict[str, Json]:
    """The JSON object that the API receives for `request` (of a guarded pipeline: its second call)."""
    generation = request.generation
    body: dict[str, Json] = {"model": generation.model, **_prompt_fields(generation.prompt)}
    body.update(generation.params.set_fields())
    if generation.n != 1:
        body["n"] = generation.n
    if generation.best_of is not None:
        body["best_of"] = generation.best_of
    body.update(_logprob_fields(generation, request.endpoint))
    if generation.echo:
        body["echo"] = True
    if generation.output_format is not None:
        body["response_format"] = _response_format(generation.output_format)
    if request.moderation is not None:
        body["moderation"] = _moderation(request.moderation)
    if generation.report_effective:
        body["x_effective"] = True
    if generation.report_timing:
        body["x_timing"] = True
    if request.is_streamed:
        body["stream"] = True
    return body


def _prompt_fields(prompt: ChatPrompt | TextPrompt | TokenPrompt) -> dict[str, Json]:
    match prompt:
        case TextPrompt():
            return {"prompt": prompt.text}
        case TokenPrompt():
            return {"prompt": list(prompt.ids)}
        case ChatPrompt():
            return _chat_fields(prompt)
        case _:
            assert_never(prompt)


def _chat_fields(prompt: ChatPrompt) -> dict[str, Json]:
    fields: dict[str, Json] = {"messages": [_message(message) for message in prompt.messages]}
    if prompt.tools:
        fields["tools"] = [_tool(tool) for tool in prompt.tools]
    if prompt.tool_choice.mode not in _usual_choices(prompt):
        fields["tool_choice"] = _tool_choice(prompt.tool_choice)
    if not prompt.parallel_tool_calls:
        fields["parallel_tool_calls"] = False
    if prompt.template_kwargs:
        fields["chat_template_kwargs"] = dict(prompt.template_kwargs)
    if prompt.continue_final_message:
        fields["continue_final_message"] = True
    elif not prompt.add_generation_prompt:
        fields["add_generation_prompt"] = False
    return fields


def _message(message: Message) -> dict[str, Json]:
    fields: dict[str, Json] = {"role": message.role.value, "content": message.content}
    if message.name is not None:
        fields["name"] = message.name
    if message.reasoning is not None:
        fields["reasoning_content"] = message.reasoning
    if message.tool_calls:
        fields["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    return fields


def _tool(tool: Tool) -> dict[str, Json]:
    function: dict[str, Json] = {"name": tool.name}
    if tool.description != "":
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = dict(tool.parameters)
    if tool.is_strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _usual_choices(prompt: ChatPrompt) -> tuple[ToolChoiceMode, ...]:
    """What an absent tool_choice means: auto with tools; without any, auto and none are the same."""
    return (ToolChoiceMode.AUTO,) if prompt.tools else (ToolChoiceMode.AUTO, ToolChoiceMode.NONE)


def _tool_choice(choice: ToolChoice) -> Json:
    if choice.mode is ToolChoiceMode.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode.value


def _logprob_fields(generation: GenerationRequest, endpoint: Endpoint) -> dict[str, Json]:
    """Chat asks with a flag and a count, completions with the count alone."""
    if generation.logprobs is None:
        return {}
    if endpoint is Endpoint.COMPLETIONS:
        return {"logprobs": generation.logprobs}
    return {"logprobs": True, "top_logprobs": generation.logprobs}


def _response_format(output: OutputFormat) -> dict[str, Json]:
    if output.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = dict(output.schema)
    return {"type": "json_schema", "json_schema": {"name": output.name, "schema": schema}}


def _moderation(moderation: Moderation) -> dict[str, Json]:
    policy = {
        name: _side(side)
        for name, side in (("input", moderation.input), ("output", moderation.output))
        if side is not None
    }
    return {"model": moderation.model, "policy": policy} if policy else {"model": moderation.model}


def _side(side: ModerationSide) -> dict[str, Json]:
    fields: dict[str, Json] = {"mode": side.mode.value}
    if side.threshold is not None:
        fields["threshold"] = side.threshold
    if side.categories:
        fields["categories"] = list(side.categories)
    return fields
