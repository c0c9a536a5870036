"""One answer on its way from the service into a turn: waiting for the model, streaming, stopping, failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from guard.base import Screened, ScreenedEvent
from workbench.admission import QueuePosition
from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelState
from workbench.core.caller import Caller
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    Finished,
    GenerationRequest,
    Started,
    ToolCall,
    ToolCallDelta,
)
from workbench.core.errors import Stopping, WorkbenchError
from workbench.screening import ScreeningChoice
from workbench.service import CallOptions, Workbench
from workbench.ui.notice import error_notice, loading_notice, queue_notice
from workbench.ui.params.panel import PanelSettings
from workbench.ui.thread.metrics import Stopwatch
from workbench.ui.thread.session import ChatSession, Turn
from workbench.ui.thread.streams import TICK_SECONDS, Ended, Failed, flush_seconds, gathered, is_seen


@dataclass(frozen=True, slots=True)
class Change:
    """What a paint has to show: the thread when `has_text`, and a notice when it is not None; `error` ended it."""

    has_text: bool = False
    notice: str | None = None
    error: WorkbenchError | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the model for the session's last turn. `screening` None leaves it to operator and key."""

    model: str
    settings: PanelSettings = field(default_factory=PanelSettings)
    continues: bool = False
    screening: ScreeningChoice | None = None


def request_for(session: ChatSession, ask: Ask) -> GenerationRequest:
    """The session's conversation as a request; `continues` goes on where the last answer broke off."""
    options = ask.settings.options
    prompt = ChatPrompt(
        session.messages(ask.settings.system),
        tools=options.tools,
        template_kwargs=options.raw.template_kwargs,
        add_generation_prompt=not ask.continues,
        continue_final_message=ask.continues,
    )
    return GenerationRequest(
        ask.model,
        prompt,
        ask.settings.params,
        logprobs=options.logprobs,
        output_format=options.output_format,
        report_effective=True,
    )


async def stream_answer(
    workbench: Workbench, session: ChatSession, ask: Ask, caller: Caller
) -> AsyncGenerator[Change, None]:
    """Fills the session's last turn; gives a Change for every paint.

    Closing the generator, or setting `session.is_stopping`, closes the service's stream and frees its slot;
    what came so far stays in the turn.
    """
    session.is_running, session.is_stopping = True, False
    try:
        async with aclosing(_wait_for_model(workbench, session, ask.model, caller)) as waiting:
            async for change in waiting:
                yield change
        if not session.is_stopping:
            async with aclosing(_stream(workbench, session, ask, caller)) as changes:
                async for change in changes:
                    yield change
    except WorkbenchError as failure:
        yield Change(notice=error_notice(failure), error=failure)
    finally:
        session.is_running = session.is_stopping = False


async def _wait_for_model(
    workbench: Workbench, session: ChatSession, model: str, caller: Caller
) -> AsyncGenerator[Change, None]:
    """Gives a notice for every step of a load in progress, and returns when it is over."""
    shown = ""
    while not session.is_stopping and not workbench.is_ending:
        status = workbench.model(model, caller)
        if status.state is not ModelState.LOADING:
            break
        if (notice := loading_notice(status)) != shown:
            shown = notice
            yield Change(notice=notice)
        await asyncio.sleep(TICK_SECONDS)
    if shown:
        yield Change(notice="")


@dataclass(slots=True)
class Answer:
    """One answer's stream as it arrives: text into the turn, times into the watch, the rest for the notice."""

    turn: Turn
    watch: Stopwatch
    calls: dict[int, ToolCall] = field(default_factory=dict)
    error: WorkbenchError | None = None
    position: QueuePosition | None = None

    def take(self, event: ScreenedEvent | Failed | Ended) -> None:
        """Takes the next event."""
        match event:
            case Failed():
                self.error = event.error
            case Screened():
                self.turn.verdicts.append(event.verdict)
            case Delta():
                self.watch.add(event)
                self.turn.answer += event.content
                self.turn.reasoning += event.reasoning
                self.turn.tokens.extend(event.logprobs)
                self._take_calls(event.tool_calls)
            case Started() | Finished():
                self.watch.add(event)

    def _take_calls(self, pieces: Sequence[ToolCallDelta]) -> None:
        for piece in pieces:
            call = self.calls.get(piece.index, ToolCall("", "", ""))
            self.calls[piece.index] = ToolCall(
                piece.id or call.id, piece.name or call.name, call.arguments + piece.arguments
            )
        if pieces:
            self.turn.tool_calls = tuple(call for _, call in sorted(self.calls.items()))

    def cut_off(self) -> None:
        """The server stops and has no more time: an answer that has not ended ends with an error."""
        if self.error is None and self.watch.finish_reason is None:
            self.error = Stopping()

    def wait(self, position: QueuePosition | None) -> None:
        """The call stands here in the queue; None when it was let in."""
        self.position = position

    def notice(self, status: ModelStatus) -> str:
        """What the wait is for, or what went wrong; "" when there is nothing to say."""
        if self.error is not None:
            return error_notice(self.error)
        if status.state is ModelState.LOADING:
            return loading_notice(status)
        return "" if self.position is None else queue_notice(self.position)

    def finish(self, *, was_stopped: bool, conditions: str = "", remark: str = "") -> None:
        """Writes the numbers under the turn; none under a turn that failed before its first token."""
        if self.error is None or self.turn.has_answer:
            self.turn.metrics = self.watch.metrics(
                was_stopped=was_stopped, failed=self.error is not None, conditions=conditions, remark=remark
            )


def open_answer(
    workbench: Workbench, session: ChatSession, ask: Ask, caller: Caller
) -> tuple[Answer, AsyncGenerator[ScreenedEvent, None]]:
    """The session's last turn, ready to be filled, and the stream that fills it."""
    price = workbench.model(ask.model, caller).card.price_per_million_tokens
    answer = Answer(session.turns[-1], Stopwatch(price))
    answer.turn.output_format = ask.settings.options.output_format
    options = CallOptions(
        screening=ask.screening,
        on_wait=answer.wait,
        on_admit=lambda ticket: answer.wait(None),
    )
    return answer, workbench.stream(request_for(session, ask), caller, options)


async def _stream(
    workbench: Workbench, session: ChatSession, ask: Ask, caller: Caller
) -> AsyncGenerator[Change, None]:
    answer, source = open_answer(workbench, session, ask, caller)
    shown = ""
    async with aclosing(gathered({"": source}, lambda: flush_seconds(2 * len(session.turns)))) as batches:
        async for batch in batches:
            for _, event in batch:
                answer.take(event)
            if workbench.is_ending:
                answer.cut_off()
            if session.is_stopping or workbench.is_ending:
                break
            notice = answer.notice(workbench.model(ask.model, caller))
            has_text = any(is_seen(event) for _, event in batch)
            if has_text or notice != shown:
                yield Change(has_text=has_text, notice=notice if notice != shown else None)
                shown = notice
    answer.finish(was_stopped=session.is_stopping)
    notice = "" if answer.error is None else error_notice(answer.error)
    yield Change(has_text=True, notice=notice, error=answer.error)
