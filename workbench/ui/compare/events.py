"""What happens on the Compare page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import gradio as gr

from workbench.core.errors import WorkbenchError
from workbench.service import Workbench
from workbench.ui.compare.comparison import Mode, Pane, PaneChange, stream_comparison
from workbench.ui.compare.comparison_file import write_comparison
from workbench.ui.compare.outcome import Answered, outcome_html
from workbench.ui.compare.parts import LETTERS, ComparePage, ComparePane, pane_title
from workbench.ui.identity import CallerOf
from workbench.ui.model_header import ignored_by
from workbench.ui.notice import error_notice
from workbench.ui.params.panel import facts_html, panel_defaults
from workbench.ui.thread.answer import Ask, request_for
from workbench.ui.thread.messages import chat_messages
from workbench.ui.thread.sent_calls import call_record, records_json
from workbench.ui.thread.session import CompareSession
from workbench.ui.values_box import values_box

Updates = dict[Any, Any]
Settings = Sequence[Any]
"""A column's model id, then the values of its panel's inputs."""
_SPREAD = "(...settings) => Array({columns}).fill(settings).flat()"


class CompareEvents:
    """The handlers of the page, bound to its components."""

    def __init__(self, page: ComparePage, workbench: Workbench, caller_of: CallerOf) -> None:
        self._page = page
        self._workbench = workbench
        self._caller_of = caller_of

    async def send(
        self,
        request: gr.Request,
        session: CompareSession,
        text: str,
        mode: str,
        count: str,
        *values: Settings,
    ) -> AsyncGenerator[Updates, None]:
        """One message to every column that is shown, and the answers."""
        if not text.strip() or session.is_running:
            return
        page, caller = self._page, self._caller_of(request)
        try:
            panes = self._panes(request, session, int(count), values)
        except WorkbenchError as failure:
            yield {page.notice: error_notice(failure)}
            return
        for pane in panes:
            pane.session.begin(text, pane.ask.model)
        sent = {pane.place: request_for(pane.session, pane.ask) for pane in panes}
        errors: dict[int, WorkbenchError] = {}
        yield self._begun(panes)
        run = stream_comparison(self._workbench, session, panes, Mode(mode), caller)
        async with aclosing(run) as changes:
            async for change in changes:
                errors |= change.errors
                yield self._painted(session, change)
        records = [
            call_record(
                "Compare",
                sent[pane.place],
                pane.session.turns[-1],
                errors.get(pane.place),
                pane.ask.screening,
            )
            for pane in panes
            if pane.session.turns
        ]
        yield {**self._ended(request, panes), page.sent: records_json(records)}

    def stop(self, session: CompareSession) -> None:
        """Asks the running answers to end; they keep what came."""
        session.is_stopping = session.is_running

    def clear(self, session: CompareSession) -> Updates:
        """Forgets all columns."""
        session.clear()
        updates: Updates = {self._page.notice: "", self._page.differences: ""}
        for pane in self._page.panes:
            updates |= {pane.thread: [], pane.notice: ""}
        return updates

    def export(self, session: CompareSession, *systems: str | None) -> str:
        """All columns for a file that the browser makes."""
        return write_comparison(
            [(system or "", pane) for system, pane in zip(systems, session.panes, strict=True)]
        )

    def _panes(
        self, request: gr.Request, session: CompareSession, count: int, values: Sequence[Settings]
    ) -> list[Pane]:
        """What each shown column asks. Raises: InvalidRequest naming the column and the setting at fault."""
        panes: list[Pane] = []
        for place, (model, *settings) in enumerate(values[:count]):
            status = self._workbench.model(model, self._caller_of(request))
            chosen = self._page.panes[place].params.settings(settings, ignored_by(status))
            ask = Ask(model, chosen, screening=self._workbench.guards.page_choice)
            panes.append(Pane(place, session.panes[place], ask))
        return panes

    def _begun(self, panes: Sequence[Pane]) -> Updates:
        page = self._page
        updates: Updates = {
            page.composer: "",
            page.notice: "",
            page.differences: "",
            page.send: gr.Button(visible="hidden"),
            page.stop: gr.Button(visible=True),
        }
        for pane in panes:
            updates[page.panes[pane.place].thread] = chat_messages(pane.session.turns, is_running=True)
            updates[page.panes[pane.place].notice] = ""
        return updates

    def _painted(self, session: CompareSession, change: PaneChange) -> Updates:
        updates: Updates = {}
        for place in change.places:
            turns = session.panes[place].turns
            is_open = bool(turns) and turns[-1].metrics is None
            updates[self._page.panes[place].thread] = chat_messages(turns, is_running=is_open)
        for place, notice in change.notices.items():
            updates[self._page.panes[place].notice] = notice
        return updates

    def _ended(self, request: gr.Request, panes: Sequence[Pane]) -> Updates:
        page = self._page
        updates: Updates = {page.send: gr.Button(visible=True), page.stop: gr.Button(visible="hidden")}
        answers = []
        for pane in panes:
            if pane.session.turns:
                status = self._workbench.model(pane.ask.model, self._caller_of(request))
                turn = pane.session.turns[-1]
                title = f"{LETTERS[pane.place]} · {pane_title(status)}"
                answers.append(Answered(title, turn.answer, turn.metrics))
            updates[page.panes[pane.place].thread] = chat_messages(pane.session.turns)
        return updates | {page.differences: outcome_html(answers)}


def bind_compare(page: ComparePage, workbench: Workbench, caller_of: CallerOf) -> None:
    """Connects the page's components."""
    events = CompareEvents(page, workbench, caller_of)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    columns_chosen = [values_box([pane.model, *pane.params.inputs]) for pane in page.panes]
    source = [page.session, page.composer, page.mode, page.count, *columns_chosen]
    columns = [part for pane in page.panes for part in (pane.thread, pane.notice)]
    paints = [page.composer, page.notice, page.differences, page.send, page.stop, page.sent, *columns]
    gr.on([page.composer.submit, page.send.click], events.send, source, paints, trigger_mode="once", **quiet)
    page.stop.click(events.stop, [page.session], None, queue=False, **quiet)
    page.reset.click(
        events.clear, [page.session], [page.notice, page.differences, *columns], queue=False, **quiet
    )
    page.sent.change(None, [page.sent], None, js="(calls) => wb.noteCalls(calls)", **quiet)
    systems = [pane.params.system for pane in page.panes]
    told = page.export.click(events.export, [page.session, *systems], [page.exported], **quiet)
    told.then(None, [page.exported], [page.exported], js="(text) => wb.exportComparison(text)", **quiet)
    page.count.input(None, [page.count], None, js="(count) => wb.showPanes(count)", **quiet)
    first, *others = (pane.params.inputs for pane in page.panes)
    page.spread.click(
        None,
        first,
        [part for inputs in others for part in inputs],
        js=_SPREAD.format(columns=len(others)),
        **quiet,
    )
    for pane in page.panes:
        _bind_model(pane, workbench, caller_of)


def _bind_model(pane: ComparePane, workbench: Workbench, caller_of: CallerOf) -> None:
    def choose(request: gr.Request, name: str) -> tuple[Any, str]:
        status = workbench.model(name, caller_of(request))
        return panel_defaults(status.card)["max_tokens"], facts_html(status.card, status.info)

    changed = [pane.params.controls["max_tokens"], pane.params.facts]
    pane.model.change(choose, [pane.model], changed, show_progress="hidden", api_visibility="private")
