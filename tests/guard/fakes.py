"""Stand-ins for a guard's model and for a guard, which say what a test wants and record what they were asked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from guard.base import Direction, Guard, GuardOptions, Hazard, Verdict, VerdictState
from guard.taxonomy import STANDARD_HAZARDS
from guard.turns import turns_to_judge
from workbench.core.backend import Backend, CallContext, ModelInfo
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Message,
    Prompt,
    Role,
    Started,
    StreamEvent,
    TextPrompt,
    TokenLogprob,
    Usage,
)
from workbench.core.errors import WorkbenchError

CONTEXT = CallContext("test", "request-1")


def user(text: str) -> Message:
    return Message(Role.USER, text)


def assistant(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def token(text: str, probability: float = 1.0, top: Mapping[str, float] | None = None) -> TokenLogprob:
    """A token with its alternatives by probability; ids are derived from the text."""

    def one(word: str, chance: float) -> TokenLogprob:
        return TokenLogprob(hash(word) % 50_000, word, word.encode(), math.log(chance) if chance else None)

    chosen = one(text, probability)
    alternatives = tuple(one(word, chance) for word, chance in (top or {}).items())
    return TokenLogprob(chosen.token_id, text, chosen.bytes, chosen.logprob, alternatives)


def verdict_tokens(p_unsafe: float) -> tuple[TokenLogprob, ...]:
    """The one token a Llama Guard 3 generates after the prompt and its blank lines."""
    word = "unsafe" if p_unsafe >= 0.5 else "safe"
    return (token(word, max(p_unsafe, 1 - p_unsafe), {"safe": 1 - p_unsafe, "unsafe": p_unsafe}),)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: tokens with logprobs, or plain text. `error` is raised instead of an answer."""

    tokens: tuple[TokenLogprob, ...] = ()
    text: str = ""
    error: WorkbenchError | None = None
    prompt_tokens: int = 300
    finish: bool = True


def prompt_text(request: GenerationRequest) -> str:
    match request.prompt:
        case TextPrompt(text=text):
            return text
        case ChatPrompt(messages=messages):
            return "\n".join(message.content for message in messages)
        case _:
            raise AssertionError("a guard sends text")


@dataclass
class FakeModel:
    """A Backend that answers each request with what `reply` makes of it."""

    reply: Callable[[GenerationRequest], Reply]
    features: frozenset[str] = frozenset({"logprobs"})
    requests: list[GenerationRequest] = field(default_factory=list)
    contexts: list[CallContext] = field(default_factory=list)

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(8192, "float32", "fake-model", features=self.features)

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        self.contexts.append(context)
        reply = self.reply(request)
        await asyncio.sleep(0)
        if reply.error is not None:
            raise reply.error
        yield Started(reply.prompt_tokens, "fake-model")
        tokens = reply.tokens[: request.params.max_tokens]
        for one in tokens:
            yield Delta(0, one.text, logprobs=(one,) if request.logprobs is not None else (), token_count=1)
        if reply.text:
            yield Delta(0, reply.text, token_count=1)
        yield Delta(0, finish_reason=FinishReason.STOP)
        if reply.finish:
            yield Finished(Usage(reply.prompt_tokens, len(tokens)))

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        raise AssertionError("a guard does not tokenize")

    async def close(self) -> None:
        return None


@dataclass
class FakeGuard:
    """A Guard that calls a turn unsafe when it holds the word "bomb", and records the texts it judged.

    `delay` is slept before each answer; `failure` is raised instead of one; texts that hold "garble" cannot
    be judged.
    """

    delay: float = 0.0
    failure: Exception | None = None
    name: str = "fake"
    fingerprint: str = "fake-1"
    hazards: tuple[Hazard, ...] = STANDARD_HAZARDS
    judged: list[tuple[Direction, str]] = field(default_factory=list)
    thresholds: list[float | None] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def threshold_for(self, direction: Direction) -> float:
        return 0.5 if direction is Direction.INPUT else 0.3

    async def check(
        self,
        conversation: Sequence[Message],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> Verdict:
        return (await self.check_many([conversation], direction, context, threshold=threshold))[0]

    async def check_many(
        self,
        conversations: Sequence[Sequence[Message]],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> list[Verdict]:
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure
        self.batches.append(len(conversations))
        self.thresholds.append(threshold)
        limit = self.threshold_for(direction) if threshold is None else threshold
        texts = [turns_to_judge(one, direction)[-1].text for one in conversations]
        return [self._verdict(text, direction, limit) for text in texts]

    def _verdict(self, text: str, direction: Direction, limit: float) -> Verdict:
        self.judged.append((direction, text))
        if "garble" in text:
            return Verdict(self.name, direction, VerdictState.UNAVAILABLE, reason="garbled")
        is_unsafe = "bomb" in text
        return Verdict(
            self.name,
            direction,
            VerdictState.UNSAFE if is_unsafe else VerdictState.SAFE,
            p_unsafe=0.9 if is_unsafe else 0.1,
            threshold=limit,
            hazards=(Hazard("S9", "Indiscriminate Weapons"),) if is_unsafe else (),
            latency_ms=1.0,
        )


def replace_embedded(patch: pytest.MonkeyPatch, guard: Guard) -> None:
    """Makes `guard` what is opened under the name embedded."""

    def open_guard(options: GuardOptions, backend: Backend | None = None) -> Guard:
        return guard

    patch.setattr("guard.embedded.guard.open_guard", open_guard)
