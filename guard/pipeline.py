"""Guard in, generation, guard out: a screened stream around an unscreened one.

The input is checked while the model already works on it; under BLOCK nothing comes out before its verdict.
Output under BLOCK is held back and judged window by window; under SCORE and SHADOW it flows freely and is
judged whole at its end. Events come in this order: Started, Screened (input), Deltas with a Screened after
each choice's last one, Finished. Without BLOCK the input's verdict may come later, among the Deltas, and
those of the output come together before Finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from guard.base import Direction, Guard, Screened, ScreenedEvent, Verdict
from guard.check import Checked, check
from guard.moderation import blocked_message, chat_moderation
from guard.output import HeldOutput, OpenOutput, Output, UnscreenedOutput
from guard.policy import Mode, ScreeningPolicy
from guard.pump import Pump
from workbench.core.backend import CallContext
from workbench.core.chat import Delta, Finished, Message, Role, Started, StreamEvent, Usage
from workbench.core.errors import ContentFiltered, Unavailable

RETRY_AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Screening:
    """A guard and what is to be done with its verdicts; one serves any number of chats."""

    guard: Guard
    policy: ScreeningPolicy

    async def stream(
        self,
        conversation: Sequence[Message],
        generation: AsyncGenerator[StreamEvent, None],
        context: CallContext,
        *,
        choices: int = 1,
        param: str = "messages",
    ) -> AsyncGenerator[ScreenedEvent, None]:
        """The generation's events with the guard's between them.

        `choices` is the n that was asked for, `param` the request's field that a blocked input was in.
        Closing it closes the generation. A choice cut off for its content ends with `content_filter`; when
        all choices have ended the generation is closed at once, and Finished counts what had been
        generated.
        Raises: ContentFiltered before any event when the input is blocked; Unavailable when the guard cannot
        judge what it must; whatever the generation raises.
        """
        if self.policy.is_off:
            async with aclosing(generation) as unscreened:
                async for event in unscreened:
                    yield event
            return
        run = _Run(self, tuple(conversation), context, choices, param)
        try:
            async with Pump(generation) as pump, aclosing(run.events(pump)) as events:
                async for screened in events:
                    yield screened
        finally:
            await run.close()


class _Run:
    """One screened generation."""

    def __init__(
        self,
        screening: Screening,
        conversation: tuple[Message, ...],
        context: CallContext,
        choices: int,
        param: str,
    ) -> None:
        self._guard = screening.guard
        self._policy = screening.policy
        self._param = param
        self._conversation = conversation
        self._context = context
        self._output = self._make_output(choices)
        self._tally = _Tally()
        self._input: asyncio.Task[Checked] | None = None

    def _make_output(self, choices: int) -> Output:
        match self._policy.output.mode:
            case Mode.OFF:
                return UnscreenedOutput()
            case Mode.BLOCK:
                return HeldOutput(self._judge_output, self._policy.windows, choices)
            case _:
                return OpenOutput(self._judge_output)

    async def events(self, pump: Pump[StreamEvent]) -> AsyncGenerator[ScreenedEvent, None]:
        """The screened events."""
        if self._policy.input.mode is not Mode.OFF:
            self._input = asyncio.create_task(self._check(Direction.INPUT, [self._conversation]))
        if self._input is not None and self._policy.input.mode is Mode.BLOCK:
            self._admit((await self._input).verdicts[0])
        while batch := await pump.batch():
            async with aclosing(self._screened(batch)) as events:
                async for event in events:
                    yield event
            if self._output.is_over and not isinstance(batch[-1], Finished):
                yield Finished(self._tally.usage())
                return

    async def close(self) -> None:
        """Ends the input's check, if it still runs."""
        if self._input is not None:
            self._input.cancel()
            await asyncio.wait({self._input})

    async def _screened(self, batch: Sequence[StreamEvent]) -> AsyncGenerator[ScreenedEvent, None]:
        """What to show for events that came together."""
        deltas = [event for event in batch if isinstance(event, Delta)]
        for event in batch:
            self._tally.add(event)
            if isinstance(event, Started):
                yield event
        async for screened in self._input_verdict(wait=False):
            yield screened
        for shown in await self._output.take(deltas):
            yield shown
        if isinstance(batch[-1], Finished):
            async for screened in self._input_verdict(wait=True):
                yield screened
            for shown in await self._output.end():
                yield shown
            yield batch[-1]

    async def _input_verdict(self, *, wait: bool) -> AsyncGenerator[Screened, None]:
        """The input's verdict, once, when it is there or `wait` is set."""
        if self._input is not None and (wait or self._input.done()):
            checked = await self._input
            self._input = None
            yield Screened(Direction.INPUT, 0, checked.verdicts[0], guard_ms=checked.took_ms)

    async def _check(self, direction: Direction, conversations: Sequence[Sequence[Message]]) -> Checked:
        return await check(self._guard, self._policy, conversations, direction, self._context)

    async def _judge_output(self, texts: Sequence[str]) -> Checked:
        """Raises: Unavailable when a text that is to be blocked if unsafe could not be judged."""
        answers = [(*self._conversation, Message(Role.ASSISTANT, text)) for text in texts]
        checked = await self._check(Direction.OUTPUT, answers)
        if self._policy.output.mode is Mode.BLOCK:
            for verdict in checked.verdicts:
                self._require_judged(verdict)
        return checked

    def _admit(self, verdict: Verdict) -> None:
        """Raises: ContentFiltered, Unavailable."""
        if verdict.is_flagged:
            raise ContentFiltered(
                blocked_message(verdict),
                param=self._param,
                detail={"moderation": chat_moderation(self._guard, [verdict], None).model_dump()},
            )
        self._require_judged(verdict)

    def _require_judged(self, verdict: Verdict) -> None:
        if not verdict.is_available and not self._policy.is_fail_open:
            raise Unavailable(
                f"The guard could not judge the {verdict.direction.value}, so the request was refused: "
                f"{verdict.reason}. Try again, or ask the operator.",
                code="guard_unavailable",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )


class _Tally:
    """What was generated, for a generation that is ended before it says so itself."""

    def __init__(self) -> None:
        self._prompt = 0
        self._completion = 0
        self._reasoning = 0

    def add(self, event: StreamEvent) -> None:
        if isinstance(event, Started):
            self._prompt = event.prompt_tokens
        elif isinstance(event, Delta):
            self._completion += event.token_count
            self._reasoning += event.token_count if event.reasoning else 0

    def usage(self) -> Usage:
        return Usage(self._prompt, self._completion, reasoning_tokens=self._reasoning)
