"""One message to several models at once, or to one after the other, and what was running beside each answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum

from workbench.backends.pool import ModelStatus
from workbench.core.caller import Caller
from workbench.core.errors import WorkbenchError
from workbench.service import Workbench
from workbench.ui.notice import error_notice
from workbench.ui.thread.answer import Answer, Ask, open_answer
from workbench.ui.thread.session import ChatSession, CompareSession
from workbench.ui.thread.streams import flush_seconds, gathered, is_seen

HERE = "this process"
"""The region of models that share this machine."""


class Mode(StrEnum):
    """ISOLATED: one answer at a time, so that its times are its own. CONTENDED: all at once, as under load."""

    ISOLATED = "isolated"
    CONTENDED = "contended"


@dataclass(frozen=True, slots=True)
class Pane:
    """One column: its place, its conversation and what is asked in it."""

    place: int
    session: ChatSession
    ask: Ask


@dataclass(frozen=True, slots=True)
class PaneChange:
    """What a paint has to show: the places whose thread grew, and by place new notices and what ended an answer."""

    places: frozenset[int] = frozenset()
    notices: dict[int, str] = field(default_factory=dict)
    errors: dict[int, WorkbenchError] = field(default_factory=dict)


async def stream_comparison(
    workbench: Workbench, session: CompareSession, panes: Sequence[Pane], mode: Mode, caller: Caller
) -> AsyncGenerator[PaneChange, None]:
    """Fills the last turn of every pane; gives a change for every paint.

    Closing the generator, or setting `session.is_stopping`, closes every stream that runs.
    """
    session.is_running, session.is_stopping = True, False
    groups = [[pane] for pane in panes] if mode is Mode.ISOLATED else [list(panes)]
    try:
        for group in groups:
            if session.is_stopping:
                break
            async with aclosing(_stream_group(workbench, session, group, mode, caller)) as changes:
                async for change in changes:
                    yield change
    finally:
        session.is_running = session.is_stopping = False


async def _stream_group(
    workbench: Workbench, session: CompareSession, group: Sequence[Pane], mode: Mode, caller: Caller
) -> AsyncGenerator[PaneChange, None]:
    answers: dict[str, Answer] = {}
    sources = {}
    for pane in group:
        try:
            answers[str(pane.place)], sources[str(pane.place)] = open_answer(
                workbench, pane.session, pane.ask, caller
            )
        except WorkbenchError as failure:
            yield PaneChange(notices={pane.place: error_notice(failure)}, errors={pane.place: failure})
    shown = dict.fromkeys(answers, "")
    others = 0
    messages = 2 * sum(len(pane.session.turns) for pane in group)
    async with aclosing(gathered(sources, lambda: flush_seconds(messages))) as batches:
        async for batch in batches:
            for name, event in batch:
                answers[name].take(event)
            others = max(others, workbench.load().running_calls - len(sources))
            if workbench.is_ending:
                for unfinished in answers.values():
                    unfinished.cut_off()
            if session.is_stopping or workbench.is_ending:
                break
            notices = _new_notices(workbench, group, answers, shown, caller)
            seen = frozenset(int(name) for name, event in batch if is_seen(event))
            if seen or notices:
                yield PaneChange(seen, notices)
    conditions = conditions_of(mode, len(group), others)
    for pane in group:
        if (answer := answers.get(str(pane.place))) is not None:
            remark = speed_remark(workbench.model(pane.ask.model, caller))
            answer.finish(was_stopped=session.is_stopping, conditions=conditions, remark=remark)
    finals = {
        int(name): "" if answer.error is None else error_notice(answer.error)
        for name, answer in answers.items()
    }
    errors = {int(name): answer.error for name, answer in answers.items() if answer.error is not None}
    yield PaneChange(frozenset(finals), finals, errors)


def _new_notices(
    workbench: Workbench,
    group: Sequence[Pane],
    answers: dict[str, Answer],
    shown: dict[str, str],
    caller: Caller,
) -> dict[int, str]:
    """The notices that changed, by place; `shown` is brought up to date."""
    changed = {}
    for pane in group:
        name = str(pane.place)
        if name in answers:
            notice = answers[name].notice(workbench.model(pane.ask.model, caller))
            if notice != shown[name]:
                changed[pane.place] = shown[name] = notice
    return changed


_UNPACKED = "its weights are unpacked at every step"


def speed_remark(status: ModelStatus) -> str:
    """What to know before this model's speed is compared; "" for nothing."""
    card = status.card
    if card.region != HERE or card.quantization == "none":
        return ""
    if card.quantization == "int8":
        return (
            "On a CPU a step of int8 reads a quarter of float32's weights: with 8-bit kernels and compiled layers "
            f"it is the faster of the two, most of all alone; without them {_UNPACKED}"
        )
    return f"On a CPU {card.quantization} saves memory rather than time: {_UNPACKED}"


def conditions_of(mode: Mode, streams: int, others: int) -> str:
    """What the numbers were measured under. `others` is the most calls of anyone else seen beside these."""
    alone = "isolated" if mode is Mode.ISOLATED else f"contended by {streams}"
    if others <= 0:
        return alone
    return f"{alone}, {others} other call{'s' if others > 1 else ''} beside"
