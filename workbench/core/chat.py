"""What a caller asks of a model and what comes back, independent of any wire format or library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.core.call_times import CallTimes
from workbench.core.params import GenerationParams


class Role(StrEnum):
    """Who speaks. `developer` is OpenAI's newer name of `system` and is normalised to it at the edge."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class FinishReason(StrEnum):
    """Why a choice ended, in OpenAI's words."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `content` is plain text: text parts are joined and `null` is "" before a Message is made."""

    role: Role
    content: str
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `parameters` is its JSON schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_strict: bool = False


class ToolChoiceMode(StrEnum):
    """OpenAI's tool_choice; NAMED goes with a tool's name."""

    NONE = "none"
    AUTO = "auto"
    REQUIRED = "required"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tools may, must or must not be called."""

    mode: ToolChoiceMode = ToolChoiceMode.AUTO
    name: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Structured output: `schema` None means any JSON object."""

    schema: Mapping[str, Any] | None = None
    name: str = "response"


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Messages to be rendered by the model's own chat template."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    parallel_tool_calls: bool = True
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    add_generation_prompt: bool = True
    continue_final_message: bool = False


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """Plain text to be continued; `add_special_tokens` puts the tokenizer's own (BOS ...) in front."""

    text: str
    add_special_tokens: bool = True


@dataclass(frozen=True, slots=True)
class TokenPrompt:
    """Token ids to be continued, taken as they are."""

    ids: tuple[int, ...]


Prompt = ChatPrompt | TextPrompt | TokenPrompt


class TrafficClass(StrEnum):
    """Who the admission gate thinks is asking: people before batch work before load tests."""

    INTERACTIVE = "interactive"
    BATCH = "batch"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One prompt, `n` choices.

    `logprobs`: None for none, k >= 0 for the chosen token's logprob plus the k likeliest. `prompt_logprobs`
    asks for the prompt's own (echo); those before token `prompt_logprobs_from` are not wanted and may be None.
    `best_of` >= n choices are sampled and the n with the best mean logprob come back. `report_timing` asks an
    endpoint that can tell for its own times; the caller of this process watches for itself.
    """

    model: str
    prompt: Prompt
    params: GenerationParams = field(default_factory=GenerationParams)
    n: int = 1
    best_of: int | None = None
    logprobs: int | None = None
    prompt_logprobs: bool = False
    prompt_logprobs_from: int = 0
    echo: bool = False
    output_format: OutputFormat | None = None
    report_effective: bool = False
    report_timing: bool = False

    @property
    def choices_generated(self) -> int:
        """How many choices the engine works on at once: what the gate counts."""
        return max(self.n, self.best_of or 1)


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token with its log-probability in nats (float32 log-softmax of the raw logits).

    `logprob` is None for the first token of an echoed prompt and for those that were not wanted. `top` holds the
    likeliest alternatives, best first.
    """

    token_id: int
    text: str
    bytes: bytes
    logprob: float | None
    top: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call; id and name come with its first piece."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The first event of a stream: the prompt is known and was admitted; nothing is generated yet.

    `effective` is the plain-JSON report behind `x_effective`. `fingerprint` is OpenAI's system_fingerprint.
    """

    prompt_tokens: int
    fingerprint: str
    effective: Mapping[str, Any] = field(default_factory=dict)
    prompt_text: str = ""
    prompt_logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of choice `index`. `token_count` counts token ids, also those whose text is still held back.

    `at` is time.monotonic() of the step that made the piece, in seconds. The last Delta of a choice carries
    its `finish_reason`.
    """

    index: int
    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    token_count: int = 0
    finish_reason: FinishReason | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by id. `completion_tokens` counts every choice generated, reasoning included."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt plus completion."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a stream: all choices have ended. `told` are an endpoint's own times, where it told them."""

    usage: Usage
    told: CallTimes | None = None


StreamEvent = Started | Delta | Finished


@dataclass(frozen=True, slots=True)
class Choice:
    """One whole answer."""

    index: int
    content: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    logprobs: tuple[TokenLogprob, ...]
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole result: what the stream's events add up to."""

    started: Started
    choices: tuple[Choice, ...]
    usage: Usage


@dataclass(slots=True)
class _ChoiceParts:
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    calls: dict[int, list[ToolCallDelta]] = field(default_factory=dict)
    finish_reason: FinishReason = FinishReason.STOP

    def add(self, delta: Delta) -> None:
        self.content.append(delta.content)
        self.reasoning.append(delta.reasoning)
        self.logprobs.extend(delta.logprobs)
        for call in delta.tool_calls:
            self.calls.setdefault(call.index, []).append(call)
        if delta.finish_reason is not None:
            self.finish_reason = delta.finish_reason

    def choice(self, index: int) -> Choice:
        calls = tuple(
            ToolCall(
                id=next((piece.id for piece in pieces if piece.id is not None), ""),
                name=next((piece.name for piece in pieces if piece.name is not None), ""),
                arguments="".join(piece.arguments for piece in pieces),
            )
            for _, pieces in sorted(self.calls.items())
        )
        return Choice(
            index,
            "".join(self.content),
            "".join(self.reasoning),
            calls,
            tuple(self.logprobs),
            self.finish_reason,
        )


class CompletionBuilder:
    """Adds up a stream's events into one Completion."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._parts: dict[int, _ChoiceParts] = {}
        self._usage: Usage | None = None

    def add(self, event: StreamEvent) -> None:
        """Takes the next event of the stream."""
        match event:
            case Started():
                self._started = event
            case Delta():
                self._parts.setdefault(event.index, _ChoiceParts()).add(event)
            case Finished():
                self._usage = event.usage

    def completion(self) -> Completion:
        """The whole result.

        Raises: ValueError when the stream has not ended.
        """
        if self._started is None or self._usage is None:
            raise ValueError("the stream has not ended")
        choices = tuple(parts.choice(index) for index, parts in sorted(self._parts.items()))
        return Completion(self._started, choices, self._usage)
