"""Answers of the generating routes, as OpenAI shapes them.

A field that is left out when it has no value says so by `Absent`; every other field is always there, null
included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field

from guard.moderation import ChatModeration

Value = TypeVar("Value")


def _is_none(value: object) -> bool:
    return value is None


Absent = Annotated[Value | None, Field(exclude_if=_is_none)]


class PromptTokensDetails(BaseModel):
    """`cached_tokens` were taken from an earlier prompt of the same key."""

    cached_tokens: int = 0


class CompletionTokensDetails(BaseModel):
    """`reasoning_tokens` are part of the completion's."""

    reasoning_tokens: int = 0


class UsageCount(BaseModel):
    """Tokens, counted by id."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class LikelyToken(BaseModel):
    """A token with its log-probability in nats."""

    token: str
    bytes: list[int]
    logprob: float


class ChosenToken(LikelyToken):
    """A token of the answer, with the likeliest ones in its place, best first."""

    top_logprobs: list[LikelyToken]


class ChatLogprobs(BaseModel):
    """The log-probabilities of a chat answer's tokens."""

    content: list[ChosenToken]
    refusal: None = None


class LegacyLogprobs(BaseModel):
    """Parallel lists over the tokens of a completion; `text_offset` counts characters of its text.

    The first token of an echoed prompt has neither logprob nor alternatives.
    """

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]


class CalledFunction(BaseModel):
    """A function's name and its arguments as JSON text; in a stream, a piece of them."""

    name: Absent[str] = None
    arguments: str


class ToolCallAnswer(BaseModel):
    """A tool call of an answer; in a stream `index` says which one this is a piece of."""

    index: Absent[int] = None
    id: Absent[str] = None
    type: Absent[Literal["function"]] = None
    function: CalledFunction


class AnswerMessage(BaseModel):
    """The assistant's turn. `reasoning` and `reasoning_content` are two names of one text."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None
    reasoning_content: Absent[str] = None
    reasoning: Absent[str] = None
    tool_calls: Absent[list[ToolCallAnswer]] = None


class AnswerDelta(BaseModel):
    """A piece of the assistant's turn."""

    role: Absent[Literal["assistant"]] = None
    content: Absent[str] = None
    reasoning_content: Absent[str] = None
    reasoning: Absent[str] = None
    tool_calls: Absent[list[ToolCallAnswer]] = None


class ChatChoice(BaseModel):
    """A whole chat answer."""

    index: int
    message: AnswerMessage
    logprobs: ChatLogprobs | None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]


class ChatChunkChoice(BaseModel):
    """A piece of a chat answer."""

    index: int
    delta: AnswerDelta
    logprobs: ChatLogprobs | None = None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"] | None = None


class TextChoice(BaseModel):
    """A completion, or in a stream a piece of one."""

    index: int
    text: str
    logprobs: LegacyLogprobs | None = None
    finish_reason: Literal["stop", "length", "content_filter"] | None = None


class _Answer(BaseModel):
    """What every answer says about itself; of what was applied, and how long it took, when the request asked for it."""

    id: str
    created: int
    model: str
    system_fingerprint: str
    x_effective: Absent[Mapping[str, Any]] = None
    x_timing: Absent[Mapping[str, Any]] = None


class ChatCompletion(_Answer):
    """The answer of chat/completions."""

    object: Literal["chat.completion"] = "chat.completion"
    choices: list[ChatChoice]
    usage: UsageCount
    moderation: ChatModeration | None = None


class ChatCompletionChunk(_Answer):
    """A chunk of a chat/completions stream.

    `usage` is only there when the request asked for it, `moderation` only in the one chunk that tells it.
    """

    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: list[ChatChunkChoice]
    usage: UsageCount | None = None
    moderation: ChatModeration | None = None


class TextCompletion(_Answer):
    """The answer of completions, and a chunk of its stream."""

    object: Literal["text_completion"] = "text_completion"
    choices: list[TextChoice]
    usage: UsageCount | None = None
    moderation: ChatModeration | None = None
