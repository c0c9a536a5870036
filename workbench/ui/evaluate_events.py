"""What happens on the Evaluate page."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from workbench.core.errors import WorkbenchError
from workbench.experiments.library import ExperimentLibrary
from workbench.experiments.sample import sample_report
from workbench.ui.context import PageContext
from workbench.ui.evaluate_form import ESTIMATED_BY, experiment_of
from workbench.ui.evaluate_page import (
    SAMPLE,
    EvaluatePage,
    entry_choices,
    progress_notice,
    read_form,
    report_frame,
)
from workbench.ui.notice import Kind, error_notice, notice_html

Updates = dict[Any, Any]


class EvaluateEvents:
    """The handlers of the page, bound to its components."""

    def __init__(self, page: EvaluatePage, library: ExperimentLibrary, context: PageContext) -> None:
        self._page = page
        self._library = library
        self._context = context

    async def run(self, request: gr.Request, *values: object) -> Updates:
        """Starts the experiment that the form asks for."""
        page, caller = self._page, self._context.caller_of(request)
        try:
            fields = read_form(values)
            own = () if fields.own is None else fields.own.samples
            id_ = await self._library.start(experiment_of(fields), caller, own)
        except WorkbenchError as failure:
            return {page.notice: error_notice(failure)}
        return {page.running: id_, page.notice: self._progress(request, id_), **self._is_running(True)}

    def estimate(self, *values: object) -> str:
        """How long the form's experiment would take; nothing while the form asks for none."""
        try:
            fields = read_form(values)
            own = () if fields.own is None else fields.own.samples
            words = self._library.estimate(experiment_of(fields), own)
        except WorkbenchError:
            return ""
        return f'<p class="wb-none">{escape(words[0].upper() + words[1:])}</p>'

    def tick(self, request: gr.Request, running: str) -> Updates:
        """The progress of the experiment this tab started or found; its verdict when it has ended."""
        page, caller = self._page, self._context.caller_of(request)
        if running and self._library.progress(running, caller) is not None:
            return {page.notice: self._progress(request, running)}
        error = self._library.error(running, caller) if running else ""
        notice = notice_html(Kind.ERROR, "The experiment failed", error) if error else ""
        return {
            page.running: "",
            page.notice: notice,
            **self._is_running(False),
            **self._listed(request, running),
        }

    def cancel(self, request: gr.Request, running: str) -> Updates:
        """Ends the run; what is done is kept."""
        self._library.cancel(running, self._context.caller_of(request))
        return {self._page.notice: notice_html(Kind.BUSY, "Stopping. What is done is kept.")}

    def show(self, request: gr.Request, chosen: str | None) -> str:
        """The chosen verdict."""
        if not chosen:
            return ""
        try:
            page = (
                sample_report()
                if chosen == SAMPLE
                else self._library.report(chosen, self._context.caller_of(request))
            )
        except WorkbenchError as failure:
            return error_notice(failure)
        return "" if page is None else report_frame(page, "Verdict")

    def delete(self, request: gr.Request, chosen: str | None) -> Updates:
        """Deletes the chosen experiment with its texts; the sample stays."""
        try:
            if chosen and chosen != SAMPLE:
                self._library.delete(chosen, self._context.caller_of(request))
        except WorkbenchError as failure:
            return {self._page.notice: error_notice(failure)}
        return self._listed(request)

    def turn_page(self, request: gr.Request, chosen: gr.SelectData) -> Updates:
        """The list, and the newest verdict, when this page is opened."""
        if not self._context.is_opened_by(chosen):
            return {self._page.timer: gr.Timer(active=False)}
        running = self._library.running(self._context.caller_of(request))
        if running:
            return {self._page.running: running, **self._is_running(True), **self._listed(request)}
        return self._listed(request)

    def _listed(self, request: gr.Request, chosen: str = "") -> Updates:
        """The list, and the verdict of `chosen` or else of the first in it."""
        page = self._page
        choices = entry_choices(
            self._library.entries(self._context.caller_of(request)), sample_report() is not None
        )
        ids = [id_ for _, id_ in choices]
        value = chosen if chosen in ids else next(iter(ids), None)
        return {page.past: gr.Dropdown(choices, value=value), page.report: self.show(request, value)}

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
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    status = [page.running, page.notice, page.run, page.cancel, page.timer]
    listing = [page.past, page.report]
    models, system, *_ = page.fields
    context.candidates.change(lambda handed: handed, [context.candidates], [models, system], **quiet)
    page.run.click(events.run, list(page.fields), status, **quiet)
    reckoned = [page.fields[place] for place in ESTIMATED_BY]
    gr.on([field.change for field in reckoned], events.estimate, list(page.fields), [page.estimate], **quiet)
    page.cancel.click(events.cancel, [page.running], [page.notice], **quiet)
    page.timer.tick(events.tick, [page.running], [*status, *listing], **quiet)
    page.past.input(events.show, [page.past], [page.report], **quiet)
    page.delete.click(events.delete, [page.past], [page.notice, *listing], **quiet)
    context.tabs.select(events.turn_page, None, [*status, *listing], **quiet)
