"""What happens on the Evaluate page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from workbench.core.caller import Caller
from workbench.core.errors import WorkbenchError
from workbench.experiments.library import ExperimentLibrary
from workbench.experiments.report.sample import sample_report
from workbench.ui.context import PageContext
from workbench.ui.evaluate.data_events import bind_data_card
from workbench.ui.evaluate.form import ESTIMATED_BY, experiment_of
from workbench.ui.evaluate.parts import (
    EvaluatePage,
    ended_notice,
    progress_notice,
    read_form,
    shape_updates,
    so_far_html,
)
from workbench.ui.evaluate.past import SAMPLE, UNFINISHED, entry_choices, recorded_label, report_frame
from workbench.ui.evaluate.past_events import PastEvents
from workbench.ui.notice import Kind, error_notice, notice_html

Updates = dict[Any, Any]


class EvaluateEvents:
    """The handlers of the form, the run and the list, bound to the page's components."""

    def __init__(self, page: EvaluatePage, library: ExperimentLibrary, context: PageContext) -> None:
        self._page = page
        self._library = library
        self._context = context

    async def run(self, request: gr.Request, *values: object) -> Updates:
        """Starts the experiment that the form asks for."""
        page, caller = self._page, self._context.caller_of(request)
        try:
            id_ = await self._start(values, caller)
        except WorkbenchError as failure:
            return {page.notice: error_notice(failure)}
        return {page.running: id_, page.notice: self._progress(request, id_), **self._is_running(True)}

    async def _start(self, values: Sequence[object], caller: Caller) -> str:
        """The started experiment's id. Raises: a WorkbenchError saying what to change."""
        fields = read_form(values)
        own = () if fields.own is None else fields.own.samples
        experiment = await asyncio.to_thread(experiment_of, fields)
        return await self._library.start(experiment, caller, own)

    def estimate(self, *values: object) -> str:
        """How long the form's experiment would take; nothing while the form asks for none."""
        try:
            fields = read_form(values)
            own = () if fields.own is None else fields.own.samples
            time, _, origin = self._library.estimate(experiment_of(fields), own).partition(", ")
        except WorkbenchError:
            return ""
        return f'<p class="wb-none">{escape(time[0].upper() + time[1:])}<small>{escape(origin)}</small></p>'

    async def resume(self, request: gr.Request, chosen: str | None) -> Updates:
        """Goes on with the chosen experiment."""
        page = self._page
        try:
            await self._library.resume(chosen or "", self._context.caller_of(request))
        except WorkbenchError as failure:
            return {page.notice: error_notice(failure)}
        return {
            page.running: chosen,
            page.notice: self._progress(request, chosen or ""),
            page.past.resume: gr.Button(visible=False),
            **self._is_running(True),
        }

    async def tick(self, request: gr.Request, running: str) -> Updates:
        """The progress of the experiment this tab started or found; its verdict when it has ended."""
        page, caller = self._page, self._context.caller_of(request)
        if running and self._library.progress(running, caller) is not None:
            rows = await asyncio.to_thread(self._library.so_far, running, caller)
            return {page.notice: self._progress(request, running), page.so_far: so_far_html(rows)}
        return {
            page.running: "",
            page.notice: self._ended_notice(running, caller) if running else "",
            page.so_far: "",
            **self._is_running(False),
            **self.listed(request, running),
        }

    def _ended_notice(self, id_: str, caller: Caller) -> str:
        if error := self._library.error(id_, caller):
            return notice_html(Kind.ERROR, "The experiment failed", error)
        entry = next((entry for entry in self._library.entries(caller) if entry.id == id_), None)
        return ended_notice("" if entry is None else (entry.decision or entry.state).replace("_", " "))

    def cancel(self, request: gr.Request, running: str) -> Updates:
        """Ends the run; what is done is kept."""
        self._library.cancel(running, self._context.caller_of(request))
        return {self._page.notice: notice_html(Kind.BUSY, "Stopping. What is done is kept.")}

    def show(self, request: gr.Request, chosen: str | None) -> Updates:
        """The chosen verdict, and what can be done with it."""
        past, caller = self._page.past, self._context.caller_of(request)
        state = next((entry.state for entry in self._library.entries(caller) if entry.id == chosen), "")
        return {
            past.report: self._report(chosen, caller),
            past.label: recorded_label(chosen),
            past.resume: gr.Button(visible=state in UNFINISHED),
            past.delete: gr.Button(visible=chosen != SAMPLE),
            past.comparison: "",
        }

    def _report(self, chosen: str | None, caller: Caller) -> str:
        if not chosen:
            return ""
        try:
            page = sample_report() if chosen == SAMPLE else self._library.report(chosen, caller)
        except WorkbenchError as failure:
            return error_notice(failure)
        return "" if page is None else report_frame(page, "Verdict")

    def delete(self, request: gr.Request, chosen: str | None) -> Updates:
        """Deletes the chosen experiment with its texts, where that was confirmed; the sample stays."""
        if not chosen:
            return {self._page.notice: gr.skip()}
        try:
            if chosen != SAMPLE:
                self._library.delete(chosen, self._context.caller_of(request))
        except WorkbenchError as failure:
            return {self._page.notice: error_notice(failure)}
        return self.listed(request)

    def turn_page(self, request: gr.Request, chosen: gr.SelectData) -> Updates:
        """The list, and the newest verdict, when this page is opened."""
        if not self._context.is_opened_by(chosen):
            return {self._page.timer: gr.Timer(active=False)}
        running = self._library.running(self._context.caller_of(request))
        if running:
            return {self._page.running: running, **self._is_running(True), **self.listed(request)}
        return self.listed(request)

    def listed(self, request: gr.Request, chosen: str = "") -> Updates:
        """The list, and the verdict of `chosen` or else of the first in it."""
        past = self._page.past
        entries = self._library.entries(self._context.caller_of(request))
        choices = entry_choices(entries, sample_report() is not None)
        ids = [id_ for _, id_ in choices]
        value = chosen if chosen in ids else next(iter(ids), None)
        return {
            past.chosen: gr.Dropdown(choices, value=value),
            past.earlier: gr.Dropdown(entry_choices(entries, has_sample=False), value=None),
            **self.show(request, value),
        }

    def _progress(self, request: gr.Request, id_: str) -> str:
        progress = self._library.progress(id_, self._context.caller_of(request))
        return "" if progress is None else progress_notice(progress)

    def _is_running(self, is_running: bool) -> Updates:
        page = self._page
        return {
            page.run: gr.Button(interactive=not is_running),
            page.cancel: gr.Button(visible=is_running),
            page.timer: gr.Timer(active=is_running),
        }


def bind_evaluate(page: EvaluatePage, library: ExperimentLibrary, context: PageContext) -> None:
    """Connects the page's components."""
    events = EvaluateEvents(page, library, context)
    past = page.past
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    status = [page.running, page.notice, page.so_far, page.run, page.cancel, page.timer, past.resume]
    shown = [past.report, past.label, past.resume, past.delete, past.comparison]
    listing = [past.chosen, past.earlier, *(part for part in shown if part is not past.resume)]
    models, system, *_ = page.fields
    handed = context.candidates.change(
        lambda handed: handed, [context.candidates], [models, system, page.data.pasted], **quiet
    )
    bind_data_card(page.data, handed)
    PastEvents(page, library, context).bind(events.show)
    load = page.load
    load.shape.input(shape_updates, [load.shape], [load.up_to, load.at_once], **quiet)
    page.run.click(events.run, list(page.fields), status, **quiet)
    reckoned = [page.fields[place] for place in ESTIMATED_BY]
    changes = [context.tab.select, *(field.change for field in reckoned)]
    gr.on(changes, events.estimate, list(page.fields), [page.estimate], **quiet)
    page.cancel.click(events.cancel, [page.running], [page.notice], **quiet)
    page.timer.tick(events.tick, [page.running], [*status, *listing], **quiet)
    past.resume.click(events.resume, [past.chosen], status, **quiet)
    past.chosen.input(events.show, [past.chosen], shown, **quiet)
    past.delete.click(
        events.delete, [past.chosen], [page.notice, past.resume, *listing], js=_CONFIRM,
        trigger_mode="multiple",  # a click right after a declined one counts, too
        **quiet,
    )  # fmt: skip
    context.tabs.select(events.turn_page, None, [*status, *listing], **quiet)


_CONFIRM = "(id) => confirm('Delete this experiment with all its texts?') ? id : ''"
