"""One answer on its way from the service into a turn: waiting for the model, streaming, stopping, failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from workbench.core.backend import ModelState
from workbench.core.caller import Caller
from workbench.core.chat import ChatPrompt, Delta, GenerationRequest
from workbench.core.errors import WorkbenchError
from workbench.core.params import GenerationParams
from workbench.service import Workbench
from workbench.ui.metrics import Stopwatch
from workbench.ui.notice import error_notice, loading_notice
from workbench.ui.session import ChatSession, Turn
from workbench.ui.streams import TICK_SECONDS, Ended, Failed, flush_seconds, gathered


@dataclass(frozen=True, slots=True)
class Change:
    """What a paint has to show: the thread when `has_text`, and a notice when it is not None."""

    has_text: bool = False
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the model for the session's last turn."""

    model: str
    system: str
    params: GenerationParams
    continues: bool = False


def request_for(session: ChatSession, ask: Ask) -> GenerationRequest:
    """The session's conversation as a request; `continues` goes on where the last answer broke off."""
    prompt = ChatPrompt(
        session.messages(ask.system),
        add_generation_prompt=not ask.continues,
        continue_final_message=ask.continues,
    )
    return GenerationRequest(ask.model, prompt, ask.params, report_effective=True)


async def stream_answer(
    workbench: Workbench, session: ChatSession, ask: Ask, caller: Caller
) -> AsyncGenerator[Change, None]:
    """Fills the session's last turn; gives a Change for every paint.

    Closing the generator, or setting `session.is_stopping`, closes the service's stream and frees its slot;
    what came so far stays in the turn.
    """
    turn = session.turns[-1]
    session.is_running, session.is_stopping = True, False
    try:
        async with aclosing(_wait_for_model(workbench, session, ask.model, caller)) as waiting:
            async for change in waiting:
                yield change
        if not session.is_stopping:
            async with aclosing(_stream(workbench, session, turn, ask, caller)) as changes:
                async for change in changes:
                    yield change
    except WorkbenchError as failure:
        yield Change(notice=error_notice(failure))
    finally:
        session.is_running = session.is_stopping = False


async def _wait_for_model(
    workbench: Workbench, session: ChatSession, model: str, caller: Caller
) -> AsyncGenerator[Change, None]:
    """Gives a notice for every step of a load in progress, and returns when it is over."""
    shown = ""
    while not session.is_stopping:
        status = workbench.model(model, caller)
        if status.state is not ModelState.LOADING:
            break
        if (notice := loading_notice(status)) != shown:
            shown = notice
            yield Change(notice=notice)
        await asyncio.sleep(TICK_SECONDS)
    if shown:
        yield Change(notice="")


async def _stream(
    workbench: Workbench, session: ChatSession, turn: Turn, ask: Ask, caller: Caller
) -> AsyncGenerator[Change, None]:
    watch = Stopwatch(workbench.model(ask.model, caller).card.price_per_million_tokens)
    source = workbench.stream(request_for(session, ask), caller)
    shown, error = "", None
    async with aclosing(gathered({"": source}, lambda: flush_seconds(2 * len(session.turns)))) as batches:
        async for batch in batches:
            for _, event in batch:
                if isinstance(event, Failed):
                    error = event.error
                elif not isinstance(event, Ended):
                    watch.add(event)
                    _add_text(turn, event)
            if session.is_stopping:
                break
            status = workbench.model(ask.model, caller)
            notice = loading_notice(status) if status.state is ModelState.LOADING else ""
            if batch or notice != shown:
                yield Change(has_text=bool(batch), notice=notice if notice != shown else None)
                shown = notice
    was_stopped = session.is_stopping
    if error is None or turn.answer or turn.reasoning:
        turn.metrics = watch.metrics(was_stopped=was_stopped, failed=error is not None)
    yield Change(has_text=True, notice="" if error is None else error_notice(error))


def _add_text(turn: Turn, event: object) -> None:
    if isinstance(event, Delta):
        turn.answer += event.content
        turn.reasoning += event.reasoning
