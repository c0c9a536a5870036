"""What happens when somebody sends, stops, edits, regenerates, continues or clears."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from guard.policy import ScreeningPolicy
from workbench.backends.pool import ModelStatus
from workbench.core.chat import FinishReason
from workbench.core.errors import ContentFiltered, WorkbenchError
from workbench.screening import ScreeningChoice
from workbench.service import Workbench
from workbench.ui.identity import CallerOf
from workbench.ui.model_header import ignored_by, model_header_html
from workbench.ui.notice import error_notice
from workbench.ui.params.panel import facts_html
from workbench.ui.serverless.chat_area import ChatArea
from workbench.ui.serverless.config_panel import ConfigPanel
from workbench.ui.serverless.context_meter import context_meter_html, counted_meter_html, used_tokens
from workbench.ui.serverless.conversation_file import read_conversation, write_conversation
from workbench.ui.serverless.guard_panel import read_guard
from workbench.ui.thread.answer import Ask, request_for, stream_answer
from workbench.ui.thread.messages import TURNS_SHOWN, chat_messages
from workbench.ui.thread.sent_calls import call_record, records_json
from workbench.ui.thread.session import ChatSession, Turn
from workbench.ui.values_box import values_box

Updates = dict[Any, Any]
"""New values by component; a component that is not named keeps what it shows."""
Settings = Sequence[Any]
"""The model's id, then the values of the panel's `ui` inputs and of its guard's."""

_CUT_SHORT = ("length", "stopped")


class ChatEvents:
    """The handlers of one page, bound to its components."""

    def __init__(
        self,
        header: gr.HTML,
        area: ChatArea,
        config: ConfigPanel,
        workbench: Workbench,
        caller_of: CallerOf,
    ) -> None:
        self._header = header
        self._area = area
        self._config = config
        self._workbench = workbench
        self._caller_of = caller_of

    async def send(
        self, request: gr.Request, session: ChatSession, text: str, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """A new message and its answer."""
        if not text.strip() or session.is_running:
            return
        async with aclosing(self._answer(request, session, settings, text=text)) as paints:
            async for updates in paints:
                yield updates

    async def choose_example(
        self, request: gr.Request, chosen: gr.SelectData, session: ChatSession, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """An example of the empty page, sent as it is."""
        async with aclosing(self.send(request, session, chosen.value["text"], settings)) as paints:
            async for updates in paints:
                yield updates

    async def edit(
        self, request: gr.Request, edited: gr.EditData, session: ChatSession, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """A user message in other words: what followed it is dropped and answered anew."""
        if session.is_running:
            return
        place = max(0, len(session.turns) - TURNS_SHOWN) + int(edited.index) // 2
        session.begin_again(place, str(edited.value), settings[0])
        async with aclosing(self._answer(request, session, settings)) as paints:
            async for updates in paints:
                yield updates

    async def regenerate(
        self, request: gr.Request, session: ChatSession, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """The last message answered anew."""
        if session.is_running or not session.turns:
            return
        session.begin_again(len(session.turns) - 1, None, settings[0])
        async with aclosing(self._answer(request, session, settings)) as paints:
            async for updates in paints:
                yield updates

    async def proceed(
        self, request: gr.Request, session: ChatSession, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """The last answer, continued where it was cut."""
        if session.is_running or not session.turns or not session.turns[-1].answer:
            return
        async with aclosing(self._answer(request, session, settings, continues=True)) as paints:
            async for updates in paints:
                yield updates

    async def override(
        self, request: gr.Request, session: ChatSession, text: str, settings: Settings
    ) -> AsyncGenerator[Updates, None]:
        """What the guard blocked, sent again by the operator: the message in the composer, or else the last one."""
        if session.is_running or not (text.strip() or session.turns):
            return
        again = text if text.strip() else None
        if again is None:
            session.begin_again(len(session.turns) - 1, None, settings[0])
        answer = self._answer(request, session, settings, text=again, is_override=True)
        async with aclosing(answer) as paints:
            async for updates in paints:
                yield updates

    def stop(self, session: ChatSession) -> None:
        """Asks the running answer to end; it ends itself within a tick and keeps what came."""
        session.is_stopping = session.is_running

    def clear(self, session: ChatSession) -> Updates:
        """Forgets the conversation."""
        session.clear()
        area = self._area
        hidden = gr.Button(visible=False)
        return {
            area.thread: [],
            area.notice: "",
            area.context: "",
            area.proceed: hidden,
            area.override: hidden,
        }

    def export(self, session: ChatSession, system: str, model: str) -> str:
        """The whole conversation for a file that the browser makes; also the turns the thread no longer shows."""
        return write_conversation(session.turns, system or "", model)

    async def load(self, request: gr.Request, session: ChatSession, text: str, model: str) -> Updates:
        """A conversation from a file, in place of the one that is here."""
        area = self._area
        if not text or session.is_running:
            return {area.loaded: ""}
        try:
            read = read_conversation(text)
        except WorkbenchError as failure:
            return {area.notice: error_notice(failure), area.loaded: ""}
        session.turns[:] = read.turns
        caller = self._caller_of(request)
        meter = await counted_meter_html(self._workbench, session, read.system, model, caller)
        return {
            area.thread: chat_messages(session.turns),
            area.notice: "",
            area.context: meter,
            area.loaded: "",
            self._config.ui.system: read.system,
        }

    async def _answer(
        self,
        request: gr.Request,
        session: ChatSession,
        settings: Settings,
        *,
        text: str | None = None,
        continues: bool = False,
        is_override: bool = False,
    ) -> AsyncGenerator[Updates, None]:
        """Paints from the user's turn to the last number under the answer; `text` begins a new turn."""
        area = self._area
        caller, width = self._caller_of(request), len(self._config.ui.inputs)
        model, *chosen = settings
        try:
            status = self._workbench.model(model, caller)
            values = self._config.ui.settings(chosen[:width], ignored_by(status))
            screening = read_guard(chosen[width:])
        except WorkbenchError as failure:
            yield {area.notice: error_notice(failure)}
            return
        turn = session.begin(text, model) if text is not None else session.turns[-1]
        if text is not None and session.open_call() is not None:
            # The model called several tools: it goes on when every call has its result.
            yield {area.thread: chat_messages(session.turns), area.composer: "", area.notice: ""}
            return
        turn.metrics = None
        turn.verdicts.clear()
        if is_override:
            screening = replace(screening or ScreeningChoice(ScreeningPolicy()), is_override=True)
        ask = Ask(model, values, continues, screening)
        sent, error = request_for(session, ask), None
        yield self._begun(session, is_new=text is not None)
        async with aclosing(stream_answer(self._workbench, session, ask, caller)) as changes:
            async for change in changes:
                error = change.error
                updates: Updates = {}
                if change.has_text:
                    updates[area.thread] = chat_messages(session.turns, is_running=session.is_running)
                if change.notice is not None:
                    # A notice comes and goes with the model's state, which the header shows, too.
                    updates[area.notice] = change.notice
                    updates[self._header] = model_header_html(self._workbench.model(model, caller))
                yield updates
        record = records_json([call_record("Chat", sent, turn, error, screening)])
        ended = self._ended(session, turn, self._workbench.model(model, caller))
        can_override = caller.is_admin and _was_blocked(turn, error)
        can_proceed = _can_proceed(session, turn)
        if can_proceed or can_override or session.has_offers:
            ended |= {
                area.proceed: gr.Button(visible=can_proceed),
                area.override: gr.Button(visible=can_override),
            }
        session.has_offers = can_proceed or can_override
        yield {**ended, area.sent: record}

    def _begun(self, session: ChatSession, *, is_new: bool) -> Updates:
        area = self._area
        updates: Updates = {
            area.thread: chat_messages(session.turns, is_running=True),
            area.notice: "",
            area.send: gr.Button(visible="hidden"),
            area.stop: gr.Button(visible=True),
        }
        if session.has_offers:
            # A button's visibility is dear: the browser walks through the whole page for it, before the first word.
            updates |= {area.proceed: gr.Button(visible=False), area.override: gr.Button(visible=False)}
        return updates | {area.composer: ""} if is_new else updates

    def _ended(self, session: ChatSession, turn: Turn, status: ModelStatus) -> Updates:
        area = self._area
        updates: Updates = {area.send: gr.Button(visible=True), area.stop: gr.Button(visible="hidden")}
        if not turn.has_answer and turn in session.turns:
            # Nothing came back: the message returns to the composer, so that it can be sent again.
            session.turns.remove(turn)
            updates[area.composer] = turn.user
        updates[area.thread] = chat_messages(session.turns)
        context_length = status.info.context_length if status.info is not None else None
        if (used := used_tokens(session)) is not None:
            updates[area.context] = context_meter_html(used, context_length)
        # A model that was loaded, or an endpoint that was probed, for this message is known only now.
        facts = facts_html(status.card, status.info)
        updates |= {self._config.ui.facts: facts, self._config.api.facts: facts}
        return updates


def _can_proceed(session: ChatSession, turn: Turn) -> bool:
    """True when the last answer broke off and can be gone on with."""
    is_cut = turn.metrics is not None and turn.metrics.finish_reason in _CUT_SHORT
    return bool(is_cut and turn.answer and session.turns)


def _was_blocked(turn: Turn, error: WorkbenchError | None) -> bool:
    """True when the guard let the message or its answer not through."""
    was_cut = turn.metrics is not None and turn.metrics.finish_reason == FinishReason.CONTENT_FILTER
    return was_cut or isinstance(error, ContentFiltered)


def bind_chat(
    session: gr.State,
    header: gr.HTML,
    area: ChatArea,
    config: ConfigPanel,
    workbench: Workbench,
    caller_of: CallerOf,
) -> None:
    """Connects the area's components."""
    events = ChatEvents(header, area, config, workbench, caller_of)
    settings = values_box([config.model, *config.ui.inputs, *config.guard.inputs])
    paints = [
        header,
        area.thread,
        area.notice,
        area.composer,
        area.send,
        area.stop,
        area.proceed,
        area.override,
        area.context,
        area.sent,
        config.ui.facts,
        config.api.facts,
    ]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    with_text = [session, area.composer, settings]
    without_text = [session, settings]
    gr.on(
        [area.composer.submit, area.send.click], events.send, with_text, paints, trigger_mode="once", **quiet
    )
    area.thread.example_select(events.choose_example, without_text, paints, trigger_mode="once", **quiet)
    area.thread.edit(events.edit, without_text, paints, trigger_mode="once", **quiet)
    area.again.click(events.regenerate, without_text, paints, trigger_mode="once", **quiet)
    area.proceed.click(events.proceed, without_text, paints, trigger_mode="once", **quiet)
    area.override.click(events.override, with_text, paints, trigger_mode="once", **quiet)
    area.stop.click(events.stop, [session], None, queue=False, **quiet)
    cleared = [area.thread, area.notice, area.context, area.proceed, area.override]
    area.reset.click(events.clear, [session], cleared, queue=False, **quiet)
    area.sent.change(None, [area.sent], None, js="(calls) => wb.noteCalls(calls)", **quiet)
    _bind_files(session, area, config, events)


def _bind_files(session: gr.State, area: ChatArea, config: ConfigPanel, events: ChatEvents) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    said = [session, config.ui.system, config.model]
    told = area.export.click(events.export, said, [area.exported], **quiet)
    # The text is let go as soon as the file is made.
    told.then(None, [area.exported], [area.exported], js="(text) => wb.exportConversation(text)", **quiet)
    area.copy.click(None, [area.thread], None, js="(thread) => wb.copyAnswer(thread)", **quiet)
    area.load.click(None, None, [area.loaded], js="() => wb.pickConversation()", **quiet)
    loaded = [area.thread, area.notice, area.context, area.loaded, config.ui.system]
    area.loaded.change(events.load, [session, area.loaded, config.model], loaded, **quiet)
