"""A backend that answers from a script and records what it was asked: for demos, docs and tests.

It honours what can be honoured without a model: n, max_tokens, stop, logprobs of a fixed value, cancellation.
A word with the white space after it counts as one token.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Prompt,
    Started,
    StreamEvent,
    TextPrompt,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from workbench.core.effective import resolve
from workbench.core.errors import ContextLengthExceeded, WorkbenchError
from workbench.core.settings import Settings

CONTEXT_LENGTH = 4096
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Script:
    """One scripted answer. `error` is raised after the text, in the middle of the stream."""

    text: str = "Hello! This answer comes from a script."
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    token_seconds: float = 0.0
    error: WorkbenchError | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What the backend was asked."""

    request: GenerationRequest
    context: CallContext


def prompt_words(prompt: Prompt) -> list[str]:
    """The prompt as the script's tokens, a word each."""
    if isinstance(prompt, ChatPrompt):
        return [word for message in prompt.messages for word in _WORD.findall(message.content)]
    if isinstance(prompt, TextPrompt):
        return _WORD.findall(prompt.text)
    return [str(token) for token in prompt.ids]


class ScriptedBackend:
    """Gives the scripts in turn (the last one again and again), or what `answer(request)` returns."""

    def __init__(
        self,
        scripts: Sequence[Script] = (Script(),),
        *,
        answer: Callable[[GenerationRequest], Script] | None = None,
        fingerprint: str = "scripted-1",
    ) -> None:
        self._scripts = list(scripts)
        self._answer = answer
        self._info = ModelInfo(
            context_length=CONTEXT_LENGTH,
            dtype="none",
            fingerprint=fingerprint,
            features=frozenset({"logprobs", "tools", "json_schema"}),
            places=16,
        )
        self.calls: list[Call] = []
        self.running = 0
        self.cancelled = 0

    @property
    def info(self) -> ModelInfo:
        """A 4,096-token model of no particular size."""
        return self._info

    def _next_script(self, request: GenerationRequest) -> Script:
        if self._answer is not None:
            return self._answer(request)
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The script's words as Deltas. Raises: ContextLengthExceeded, and the script's own error."""
        self.calls.append(Call(request, context))
        prompt_tokens = len(prompt_words(request.prompt))
        asked = request.params.max_tokens
        if prompt_tokens + (asked or 0) > CONTEXT_LENGTH:
            raise ContextLengthExceeded(
                limit=CONTEXT_LENGTH, prompt_tokens=prompt_tokens, asked_tokens=asked or 0, param="messages"
            )
        effective = resolve(request.params, {}, room_tokens=CONTEXT_LENGTH - prompt_tokens, fresh_seed=0)
        script = self._next_script(request)
        await context.turn()
        self.running += 1
        ended = False
        try:
            yield Started(
                prompt_tokens,
                self._info.fingerprint,
                {"seed": effective.seed},
                prompt_text="".join(prompt_words(request.prompt)),
                prompt_logprobs=_prompt_logprobs(request),
            )
            counted = 0
            for index in range(request.n):
                async for delta in _speak(script, request, effective.max_tokens, effective.stop, index):
                    counted += delta.token_count
                    if delta.finish_reason is not None:
                        context.finish_choice()
                    yield delta
            if script.error is not None:
                raise script.error
            yield Finished(Usage(prompt_tokens, counted))
            ended = True
        finally:
            self.running -= 1
            self.cancelled += not ended

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """A number for each word."""
        return tuple(range(len(prompt_words(prompt))))

    async def close(self) -> None:
        """Nothing to free."""


async def _speak(
    script: Script, request: GenerationRequest, max_tokens: int, stop: tuple[str, ...], index: int
) -> AsyncGenerator[Delta, None]:
    """One choice: reasoning first, then the text up to a stop string or max_tokens."""
    text, was_stopped = _cut_at_stop(script.text, stop)
    pieces = [(word, True) for word in _WORD.findall(script.reasoning)] + [
        (word, False) for word in _WORD.findall(text)
    ]
    for word, is_reasoning in pieces[:max_tokens]:
        await asyncio.sleep(script.token_seconds)
        yield Delta(
            index,
            content="" if is_reasoning else word,
            reasoning=word if is_reasoning else "",
            logprobs=() if request.logprobs is None or is_reasoning else (_logprob(word, request.logprobs),),
            token_count=1,
            at=time.monotonic(),
        )
    for position, call in enumerate(script.tool_calls):
        yield Delta(
            index, tool_calls=(ToolCallDelta(position, call.id, call.name, call.arguments),), token_count=1
        )
    reason = FinishReason.STOP
    if script.tool_calls:
        reason = FinishReason.TOOL_CALLS
    elif len(pieces) > max_tokens and not was_stopped:
        reason = FinishReason.LENGTH
    yield Delta(index, finish_reason=reason, at=time.monotonic())


def _cut_at_stop(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    found = [place for string in stop if (place := text.find(string)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


def _logprob(word: str, count: int) -> TokenLogprob:
    chosen = TokenLogprob(0, word, word.encode(), -0.25)
    return TokenLogprob(0, word, word.encode(), -0.25, top=(chosen,) * min(count, 1))


def _prompt_logprobs(request: GenerationRequest) -> tuple[TokenLogprob, ...]:
    """Of every prompt token when they were asked for; the first has none."""
    if not request.prompt_logprobs:
        return ()
    first, *rest = prompt_words(request.prompt)
    return (
        TokenLogprob(0, first, first.encode(), None),
        *(_logprob(word, request.logprobs or 0) for word in rest),
    )


def open_backend(card: ModelCard, settings: Settings, progress: Progress) -> ScriptedBackend:
    """A backend for an entry with `backend = "scripted"`; its `source` is the answer's text."""
    progress("ready", 1.0)
    return ScriptedBackend([Script(card.source)], fingerprint=f"scripted-{card.id}")
