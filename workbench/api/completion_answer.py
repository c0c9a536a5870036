"""Completions: from the service's events to OpenAI's objects. Choices are numbered prompt by prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guard.moderation import ChatModeration
from workbench.api.answer import Head, effective_report, fields_to_leave_out, timing_report
from workbench.api.feed import PromptEvent
from workbench.api.logprobs import LegacyLogprobsWriter
from workbench.api.moderated import ModerationReport
from workbench.api.schemas.answers import TextChoice, TextCompletion, UsageCount
from workbench.api.schemas.completions import CompletionBody
from workbench.api.timing import TimingReport
from workbench.api.usage import total, usage_count
from workbench.core.chat import (
    Choice,
    Completion,
    Delta,
    Finished,
    FinishReason,
    Started,
    TokenLogprob,
    Usage,
)


def text_completion(
    body: CompletionBody,
    completions: Sequence[Completion],
    timing: TimingReport,
    moderation: ChatModeration | None = None,
) -> TextCompletion:
    """The whole answer to all prompts, in their order."""
    head = Head.of("cmpl", body)
    started = [completion.started for completion in completions]
    return TextCompletion(
        id=head.id,
        created=head.created,
        model=head.model,
        system_fingerprint=started[0].fingerprint,
        choices=[
            _choice(body, number * body.choices + choice.index, completion.started, choice)
            for number, completion in enumerate(completions)
            for choice in completion.choices
        ],
        usage=usage_count(total(completion.usage for completion in completions)),
        moderation=moderation,
        x_effective=effective_report(body, started),
        x_timing=timing_report(body, timing),
    )


def _choice(body: CompletionBody, index: int, started: Started, choice: Choice) -> TextChoice:
    text = choice.reasoning + choice.content
    tokens = choice.logprobs
    if body.echo:
        text, tokens = started.prompt_text + text, (*started.prompt_logprobs, *tokens)
    return TextChoice(
        index=index,
        text=text,
        logprobs=LegacyLogprobsWriter().write(tokens) if body.logprobs is not None else None,
        finish_reason=_reason(choice.finish_reason),
    )


def _reason(reason: FinishReason) -> str:
    return FinishReason.STOP.value if reason is FinishReason.TOOL_CALLS else reason.value


class TextChunks:
    """A stream: with `echo` the prompt first, then text, finish chunks, the guard's word and the usage if asked for."""

    def __init__(self, body: CompletionBody, moderation: ModerationReport, timing: TimingReport) -> None:
        self._body = body
        self._moderation = moderation
        self._timing = timing
        self._head = Head.of("cmpl", body)
        prompts = len(body.prompts())
        self._started: dict[int, Started] = {}
        self._usages: list[Usage] = []
        self._prompts = prompts
        self._unfinished = prompts * body.choices
        self._writers = [LegacyLogprobsWriter() for _ in range(self._unfinished)]
        self._counted = 0

    def chunks(self, item: PromptEvent) -> Iterator[str]:
        """The chunks this event makes, as JSON."""
        first = item.prompt * self._body.choices
        match item.event:
            case Started() as started:
                self._started[item.prompt] = started
                if self._body.echo:
                    for index in range(first, first + self._body.choices):
                        yield self._chunk([self._piece(index, started.prompt_text, started.prompt_logprobs)])
            case Delta() as delta:
                yield from self._of_delta(first + delta.index, delta)
            case Finished(usage):
                self._usages.append(usage)
                if len(self._usages) == self._prompts:
                    yield from self._end()

    def _end(self) -> Iterator[str]:
        if moderation := self._moderation.answer():
            yield self._chunk([], moderation=moderation, is_last=not self._body.includes_usage)
        if self._body.includes_usage:
            yield self._chunk([], usage=usage_count(total(self._usages)), is_last=True)

    def _of_delta(self, index: int, delta: Delta) -> Iterator[str]:
        self._counted += delta.token_count
        text = delta.reasoning + delta.content
        if text or delta.logprobs:
            yield self._chunk([self._piece(index, text, delta.logprobs)])
        if delta.finish_reason is not None:
            self._unfinished -= 1
            choice = TextChoice(index=index, text="", finish_reason=_reason(delta.finish_reason))
            is_more_to_come = self._body.includes_usage or self._moderation.is_told
            yield self._chunk([choice], is_last=self._unfinished == 0 and not is_more_to_come)

    def _piece(self, index: int, text: str, tokens: Sequence[TokenLogprob]) -> TextChoice:
        logprobs = self._writers[index].write(tokens) if self._body.logprobs is not None else None
        return TextChoice(index=index, text=text, logprobs=logprobs)

    def _chunk(
        self,
        choices: list[TextChoice],
        *,
        usage: UsageCount | None = None,
        moderation: ChatModeration | None = None,
        is_last: bool = False,
    ) -> str:
        started = [self._started[number] for number in sorted(self._started)]
        if usage is None and self._body.counts_continuously:
            usage = usage_count(Usage(sum(one.prompt_tokens for one in started), self._counted))
        chunk = TextCompletion(
            id=self._head.id,
            created=self._head.created,
            model=self._head.model,
            system_fingerprint=started[0].fingerprint,
            choices=choices,
            usage=usage,
            moderation=moderation,
            x_effective=effective_report(self._body, started) if is_last else None,
            x_timing=timing_report(self._body, self._timing) if is_last else None,
        )
        return chunk.model_dump_json(exclude=fields_to_leave_out(self._body, moderation))
