"""Chat completions: from the service's events to OpenAI's objects."""

from __future__ import annotations

from collections.abc import Iterator

from guard.moderation import ChatModeration
from workbench.api.answer import Head, effective_report, fields_to_leave_out, timing_report
from workbench.api.feed import PromptEvent
from workbench.api.logprobs import chat_logprobs
from workbench.api.moderated import ModerationReport
from workbench.api.schemas.answers import (
    AnswerDelta,
    AnswerMessage,
    CalledFunction,
    ChatChoice,
    ChatChunkChoice,
    ChatCompletion,
    ChatCompletionChunk,
    ToolCallAnswer,
    UsageCount,
)
from workbench.api.schemas.chat import ChatBody
from workbench.api.timing import TimingReport
from workbench.api.usage import usage_count
from workbench.core.chat import Choice, Completion, Delta, Finished, Started, ToolCallDelta, Usage


def chat_completion(
    body: ChatBody, completion: Completion, timing: TimingReport, moderation: ChatModeration | None = None
) -> ChatCompletion:
    """The whole answer."""
    head = Head.of("chatcmpl", body)
    return ChatCompletion(
        id=head.id,
        created=head.created,
        model=head.model,
        system_fingerprint=completion.started.fingerprint,
        choices=[_choice(body, choice) for choice in completion.choices],
        usage=usage_count(completion.usage),
        moderation=moderation,
        x_effective=effective_report(body, [completion.started]),
        x_timing=timing_report(body, timing),
    )


def _choice(body: ChatBody, choice: Choice) -> ChatChoice:
    calls = [
        ToolCallAnswer(
            id=call.id, type="function", function=CalledFunction(name=call.name, arguments=call.arguments)
        )
        for call in choice.tool_calls
    ]
    reasoning = choice.reasoning or None
    return ChatChoice(
        index=choice.index,
        message=AnswerMessage(
            content=None if calls and not choice.content else choice.content,
            reasoning_content=reasoning,
            reasoning=reasoning,
            tool_calls=calls or None,
        ),
        logprobs=chat_logprobs(choice.logprobs) if body.logprobs else None,
        finish_reason=choice.finish_reason.value,
    )


class ChatChunks:
    """A stream: role chunks, content chunks, finish chunks, then the guard's word and the usage if asked for."""

    def __init__(self, body: ChatBody, moderation: ModerationReport, timing: TimingReport) -> None:
        self._body = body
        self._moderation = moderation
        self._timing = timing
        self._head = Head.of("chatcmpl", body)
        self._started = Started(0, "")
        self._counted = 0
        self._unfinished = body.choices

    def chunks(self, item: PromptEvent) -> Iterator[str]:
        """The chunks this event makes, as JSON."""
        match item.event:
            case Started() as started:
                self._started = started
                for index in range(self._body.choices):
                    yield self._chunk([_piece(index, AnswerDelta(role="assistant", content=""))])
            case Delta() as delta:
                yield from self._of_delta(delta)
            case Finished(usage):
                if moderation := self._moderation.answer():
                    yield self._chunk([], moderation=moderation, is_last=not self._body.includes_usage)
                if self._body.includes_usage:
                    yield self._chunk([], usage=usage_count(usage), is_last=True)

    def _of_delta(self, delta: Delta) -> Iterator[str]:
        self._counted += delta.token_count
        if delta.content or delta.reasoning or delta.tool_calls or delta.logprobs:
            reasoning = delta.reasoning or None
            calls = [_call_piece(call) for call in delta.tool_calls]
            piece = _piece(
                delta.index,
                AnswerDelta(
                    content=delta.content or None,
                    reasoning_content=reasoning,
                    reasoning=reasoning,
                    tool_calls=calls or None,
                ),
            )
            if self._body.logprobs and delta.logprobs:
                piece.logprobs = chat_logprobs(delta.logprobs)
            yield self._chunk([piece])
        if delta.finish_reason is not None:
            self._unfinished -= 1
            piece = _piece(delta.index, AnswerDelta())
            piece.finish_reason = delta.finish_reason.value
            is_more_to_come = self._body.includes_usage or self._moderation.is_told
            yield self._chunk([piece], is_last=self._unfinished == 0 and not is_more_to_come)

    def _chunk(
        self,
        choices: list[ChatChunkChoice],
        *,
        usage: UsageCount | None = None,
        moderation: ChatModeration | None = None,
        is_last: bool = False,
    ) -> str:
        if usage is None and self._body.counts_continuously:
            usage = usage_count(Usage(self._started.prompt_tokens, self._counted))
        chunk = ChatCompletionChunk(
            id=self._head.id,
            created=self._head.created,
            model=self._head.model,
            system_fingerprint=self._started.fingerprint,
            choices=choices,
            usage=usage,
            moderation=moderation,
            x_effective=effective_report(self._body, [self._started]) if is_last else None,
            x_timing=timing_report(self._body, self._timing) if is_last else None,
        )
        return chunk.model_dump_json(exclude=fields_to_leave_out(self._body, moderation))


def _piece(index: int, delta: AnswerDelta) -> ChatChunkChoice:
    return ChatChunkChoice(index=index, delta=delta)


def _call_piece(call: ToolCallDelta) -> ToolCallAnswer:
    is_first = call.id is not None
    return ToolCallAnswer(
        index=call.index,
        id=call.id,
        type="function" if is_first else None,
        function=CalledFunction(name=call.name, arguments=call.arguments),
    )
