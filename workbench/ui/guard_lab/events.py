"""What happens in the Guard lab when somebody judges texts, moves a threshold, or asks to see flagged texts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from guard.base import Direction, Guard
from guard.evaluate import judge_rows, report, warm_up
from guard.labelled_set import LabelledSet, read_labelled_file, read_labelled_lines
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.guard_cost import measure_cost
from workbench.service import Workbench
from workbench.ui.guard_lab.cost_table import cost_html
from workbench.ui.guard_lab.parts import NO_GUARD, UNSAFE, LabPage, LabSession
from workbench.ui.guard_lab.results import LabResult, export_html, result_html
from workbench.ui.identity import CallerOf
from workbench.ui.notice import Kind, error_notice, notice_html

POLL_SECONDS = 0.2
BATCH_ROWS = 1
"""One row at a time: each verdict's time is then its own."""

Updates = dict[Any, Any]


@dataclass(slots=True)
class _Progress:
    """How far a run is; written by the guard's task, read by the page's."""

    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def read_texts(texts: str, label: str, file: str | None) -> LabelledSet:
    """The file's rows, or else the pasted lines with one label for all.

    Raises: InvalidRequest when there is no usable row.
    """
    if file is not None:
        return read_labelled_file(Path(file))
    lines = [line for line in texts.splitlines() if line.strip()]
    if not lines:
        raise InvalidRequest("There is nothing to judge. Paste texts, one a line, or choose a file.")
    said = "unsafe" if label == UNSAFE else "safe"
    return read_labelled_lines([json.dumps({"prompt": line, "label": said}) for line in lines])


class LabEvents:
    """The handlers of one page, bound to its components."""

    def __init__(self, page: LabPage, workbench: Workbench, caller_of: CallerOf) -> None:
        self._page = page
        self._workbench = workbench
        self._caller_of = caller_of

    async def run(
        self, session: LabSession, texts: str, label: str, file: str | None, shows_texts: bool, *names: str
    ) -> AsyncGenerator[Updates, None]:
        """Judges the texts with each guard in turn, and paints how far it is."""
        if session.is_running:
            return
        session.is_running = True
        session.results.clear()
        try:
            labelled = await asyncio.to_thread(read_texts, texts, label, file)
            for name in names:
                if name == NO_GUARD:
                    continue
                guard = await self._workbench.guards.open(name)
                progress = _Progress(total=len(labelled.rows))
                judging = asyncio.create_task(_judged(guard, labelled, progress))
                async with _ended(judging):
                    while not judging.done():
                        yield {self._page.notice: _running(name, progress, "texts")}
                        await asyncio.wait({judging}, timeout=POLL_SECONDS)
                session.results.append(judging.result())
            yield {**self._results(session, shows_texts), self._page.notice: _bad_rows(labelled)}
        except WorkbenchError as failure:
            yield {self._page.notice: error_notice(failure)}
        finally:
            session.is_running = False

    async def measure(
        self, request: gr.Request, session: LabSession, *names: str
    ) -> AsyncGenerator[Updates, None]:
        """What each chosen guard costs a chat of the default model."""
        if session.is_running:
            return
        session.is_running = True
        model, tables = self._workbench.catalogue.default.id, ""
        try:
            for name in names:
                if name == NO_GUARD:
                    continue
                progress = _Progress()
                measuring = asyncio.create_task(
                    measure_cost(self._workbench, self._caller_of(request), name, on_progress=progress)
                )
                async with _ended(measuring):
                    while not measuring.done():
                        yield {self._page.notice: _running(name, progress, "chats")}
                        await asyncio.wait({measuring}, timeout=POLL_SECONDS)
                tables += cost_html(name, model, measuring.result())
            yield {self._page.cost: tables, self._page.notice: ""}
        except WorkbenchError as failure:
            yield {self._page.notice: error_notice(failure)}
        finally:
            session.is_running = False

    def look(self, session: LabSession, shows_texts: bool, *thresholds: float) -> list[str]:
        """The columns and the export at other thresholds; no guard is asked again."""
        shown = [
            result_html(result, threshold, shows_texts=shows_texts)
            for result, threshold in zip(session.results, thresholds, strict=False)
        ]
        shown += [""] * (len(self._page.columns) - len(shown))
        exported = export_html(session.results, thresholds[: len(session.results)]) if session.results else ""
        return [*shown, exported]

    def stopped(self, session: LabSession) -> tuple[LabSession, str]:
        """After the run was cancelled by the page."""
        session.is_running = False
        return session, notice_html(Kind.INFO, "Stopped", "No result was kept.")

    def _results(self, session: LabSession, shows_texts: bool) -> Updates:
        starts = [result.start for result in session.results]
        *shown, exported = self.look(session, shows_texts, *starts)
        updates: Updates = {self._page.export: exported}
        for place, column in enumerate(self._page.columns):
            has_result = place < len(session.results)
            updates[column.result] = shown[place]
            updates[column.threshold] = (
                gr.Slider(value=starts[place], visible=True) if has_result else gr.Slider(visible=False)
            )
        return updates


async def _judged(guard: Guard, labelled: LabelledSet, progress: _Progress) -> LabResult:
    """The rows judged, and their report, which is reckoned in a thread: its intervals take a while."""
    await warm_up(guard)
    rows = await judge_rows(guard, labelled.rows, batch_size=BATCH_ROWS, on_progress=progress)
    reckoned = await asyncio.to_thread(report, guard, rows, labelled.bad_rows)
    start = guard.threshold_for(rows[0].row.direction if rows else Direction.INPUT)
    return LabResult(reckoned, tuple(rows), round(start, 2))


@asynccontextmanager
async def _ended(task: asyncio.Task[Any]) -> AsyncGenerator[None, None]:
    """The task is over when the block is: cancelled, if it still runs."""
    try:
        yield
    finally:
        task.cancel()


def _running(name: str, progress: _Progress, what: str) -> str:
    fraction = progress.done / progress.total if progress.total else 0.0
    text = f"{progress.done} of {progress.total} {what}"
    return notice_html(Kind.BUSY, f"{name} is at work", text, progress=fraction)


def _bad_rows(labelled: LabelledSet) -> str:
    """Names the lines that were left out; "" when there are none."""
    bad = labelled.bad_rows
    if not bad:
        return ""
    named = "; ".join(f"line {row.line}: {row.reason}" for row in bad[:5])
    title = "One row was left out" if len(bad) == 1 else f"{len(bad)} rows were left out"
    return notice_html(Kind.WARNING, title, f"{named}.")


def bind_lab(page: LabPage, workbench: Workbench, caller_of: CallerOf) -> None:
    """Connects the page's components."""
    events = LabEvents(page, workbench, caller_of)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    guards = [column.guard for column in page.columns]
    thresholds: Sequence[gr.Slider] = [column.threshold for column in page.columns]
    painted = [*(column.result for column in page.columns), page.export]
    running = page.run.click(
        events.run,
        [page.session, page.texts, page.label, page.file, page.shows_texts, *guards],
        [page.notice, *thresholds, *painted],
        trigger_mode="once",
        **quiet,
    )
    measuring = page.measure.click(
        events.measure, [page.session, *guards], [page.notice, page.cost], trigger_mode="once", **quiet
    )
    page.stop.click(
        events.stopped, [page.session], [page.session, page.notice], cancels=[running, measuring], queue=False,
        **quiet,
    )  # fmt: skip
    looked_at = [page.session, page.shows_texts, *thresholds]
    for slider in thresholds:
        slider.input(events.look, looked_at, painted, trigger_mode="always_last", **quiet)
    page.shows_texts.input(events.look, looked_at, painted, **quiet)
