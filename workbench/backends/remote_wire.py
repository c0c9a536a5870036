"""OpenAI's wire format from the client's side: a GenerationRequest as call arguments, chunks as events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openai.types import Completion as TextCompletion
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from workbench.core.call_times import CallTimes
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    FinishReason,
    GenerationRequest,
    Message,
    TextPrompt,
    TokenLogprob,
    TokenPrompt,
    Tool,
    ToolCallDelta,
    ToolChoice,
    ToolChoiceMode,
    Usage,
)

UNKNOWN_TOKEN = -1
"""The token id of a remote token: OpenAI's format gives its text only."""

_OPENAI_PARAMS = frozenset(
    {
        "temperature",
        "max_tokens",
        "top_p",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "logit_bias",
    }
)


def is_chat(request: GenerationRequest) -> bool:
    """True when the request goes to chat completions."""
    return isinstance(request.prompt, ChatPrompt)


def call_arguments(request: GenerationRequest, model: str, spelling: Mapping[str, str]) -> dict[str, Any]:
    """Arguments for the openai client's `create`; only what was set, extensions in `extra_body`.

    `spelling` has the endpoint's own name for a parameter where it is another one.
    """
    params = request.params.set_fields()
    arguments: dict[str, Any] = {"model": model, "n": request.n}
    arguments |= {name: value for name, value in params.items() if name in _OPENAI_PARAMS}
    extra = {spelling.get(name, name): value for name, value in params.items() if name not in _OPENAI_PARAMS}
    if request.best_of is not None:
        extra["best_of"] = request.best_of
    prompt = request.prompt
    if isinstance(prompt, ChatPrompt):
        arguments |= _chat_arguments(prompt, request, spelling)
        extra |= _chat_extensions(prompt)
    else:
        arguments["prompt"] = prompt.text if isinstance(prompt, TextPrompt) else list(prompt.ids)
        if request.logprobs is not None:
            arguments["logprobs"] = request.logprobs
        if request.echo:
            arguments["echo"] = True
        if isinstance(prompt, TextPrompt) and not prompt.add_special_tokens:
            extra["add_special_tokens"] = False
    return {**arguments, "extra_body": extra} if extra else arguments


def _chat_arguments(
    prompt: ChatPrompt, request: GenerationRequest, spelling: Mapping[str, str]
) -> dict[str, Any]:
    made: dict[str, Any] = {"messages": [_message(message) for message in prompt.messages]}
    if prompt.tools:
        made["tools"] = [_tool(tool) for tool in prompt.tools]
        made["tool_choice"] = _tool_choice(prompt.tool_choice)
        made["parallel_tool_calls"] = prompt.parallel_tool_calls
    if request.logprobs is not None:
        made |= {"logprobs": True, "top_logprobs": request.logprobs}
    if request.output_format is not None:
        made["response_format"] = _response_format(request, spelling.get("json_schema", "json_schema"))
    return made


def _chat_extensions(prompt: ChatPrompt) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if prompt.template_kwargs:
        made["chat_template_kwargs"] = dict(prompt.template_kwargs)
    if prompt.continue_final_message:
        made |= {"continue_final_message": True, "add_generation_prompt": False}
    return made


def _message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.name is not None:
        made["name"] = message.name
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return made


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function | ({"strict": True} if tool.is_strict else {})}


def _tool_choice(choice: ToolChoice) -> Any:
    if choice.mode is ToolChoiceMode.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode.value


def _response_format(request: GenerationRequest, spelling: str) -> dict[str, Any]:
    wanted = request.output_format
    if wanted is None or wanted.schema is None:
        return {"type": "json_object"}
    if spelling == "json_object":
        return {"type": "json_object", "schema": dict(wanted.schema)}
    return {
        "type": "json_schema",
        "json_schema": {"name": wanted.name, "schema": dict(wanted.schema), "strict": True},
    }


def chat_deltas(chunk: ChatCompletionChunk) -> Iterator[Delta]:
    """The Deltas of one chunk of a chat stream. Servers name reasoning in two ways; both are read."""
    for choice in chunk.choices:
        delta = choice.delta
        extra: Mapping[str, Any] = delta.model_extra or {}
        scores = choice.logprobs.content if choice.logprobs is not None and choice.logprobs.content else []
        content, reasoning = (
            delta.content or "",
            extra.get("reasoning_content") or extra.get("reasoning") or "",
        )
        calls = tuple(
            ToolCallDelta(
                call.index,
                call.id,
                call.function.name if call.function is not None else None,
                (call.function.arguments or "") if call.function is not None else "",
            )
            for call in delta.tool_calls or ()
        )
        yield Delta(
            choice.index,
            content,
            reasoning,
            calls,
            tuple(_chat_logprob(score) for score in scores),
            token_count=len(scores) or int(bool(content or reasoning or calls)),
            finish_reason=_finish(choice.finish_reason),
            at=time.monotonic(),
        )


def _chat_logprob(score: Any) -> TokenLogprob:
    top = tuple(_token(other.token, other.bytes, other.logprob) for other in score.top_logprobs or ())
    return _token(score.token, score.bytes, score.logprob, top)


def _token(
    text: str, spelled: Sequence[int] | None, logprob: float | None, top: tuple[TokenLogprob, ...] = ()
) -> TokenLogprob:
    return TokenLogprob(
        UNKNOWN_TOKEN, text, bytes(spelled) if spelled is not None else text.encode(), logprob, top
    )


def _finish(reason: str | None) -> FinishReason | None:
    if reason is None:
        return None
    return FinishReason(reason) if reason in set(FinishReason) else FinishReason.STOP


def text_deltas(chunk: TextCompletion) -> Iterator[Delta]:
    """The Deltas of one chunk of a plain completion's stream."""
    for choice in chunk.choices:
        scores = text_logprobs(choice.logprobs)
        yield Delta(
            choice.index,
            choice.text,
            logprobs=scores,
            token_count=len(scores) or int(bool(choice.text)),
            finish_reason=_finish(choice.finish_reason),
            at=time.monotonic(),
        )


def text_logprobs(logprobs: Any) -> tuple[TokenLogprob, ...]:
    """The legacy arrays as tokens; empty when the server gave none."""
    if logprobs is None or not logprobs.tokens:
        return ()
    tops = logprobs.top_logprobs or [None] * len(logprobs.tokens)
    values = logprobs.token_logprobs or [None] * len(logprobs.tokens)
    return tuple(
        _token(text, None, value, tuple(_token(other, None, score) for other, score in (top or {}).items()))
        for text, value, top in zip(logprobs.tokens, values, tops, strict=False)
    )


def usage_of(usage: Any) -> Usage:
    """The server's own counts; zeros where it gives none."""
    if usage is None:
        return Usage(0, 0)
    prompt, completion = usage.prompt_tokens_details, getattr(usage, "completion_tokens_details", None)
    return Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        (prompt.cached_tokens or 0) if prompt is not None else 0,
        (completion.reasoning_tokens or 0) if completion is not None else 0,
    )


def told_times(answer: BaseModel) -> CallTimes | None:
    """The server's own times of the call, in the whole answer or the chunk that carries them."""
    return CallTimes.told((answer.model_extra or {}).get("x_timing"))


def asks_prompt_scores(request: GenerationRequest) -> bool:
    """True when the prompt's own logprobs are wanted, which only echo on plain completions gives."""
    return request.prompt_logprobs and isinstance(request.prompt, TextPrompt | TokenPrompt)
