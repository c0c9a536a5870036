"""What `workbench try` and `workbench evaluate` share: the service without a server, progress, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from workbench.core.settings import Settings, read_settings

if TYPE_CHECKING:
    from workbench.experiments.record.folder import ExperimentFolder
    from workbench.experiments.results.outcome import Results
    from workbench.experiments.run.progress import Progress
    from workbench.experiments.spec.experiment import Experiment
    from workbench.service import Workbench

_LINE_SECONDS = 10.0
"""How often progress is written where nobody watches it."""


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncGenerator[Workbench, None]:
    """The service of a server, without one: catalogue, models, gate, and no store."""
    from workbench.backends.added import open_catalogue
    from workbench.logs import configure_logs
    from workbench.site import make_workbench

    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    workbench = make_workbench(settings, open_catalogue(settings))
    try:
        yield workbench
    finally:
        await workbench.stop(grace_seconds=0)


def run_experiment(experiment: Experiment, out: Path) -> Results:
    """Runs the experiment in `out`, with progress on standard error; Ctrl-C keeps and reports what is done.

    Raises: a WorkbenchError.
    """
    from workbench.experiments.record.folder import ExperimentFolder
    from workbench.experiments.report.outputs import write_outputs

    settings = read_settings()
    folder = ExperimentFolder(out)
    # A polite end is the same as Ctrl-C: what is done is kept and reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(_run(experiment, folder, settings))
    except KeyboardInterrupt:
        typer.echo("\nStopped. What was done is kept; the same command goes on from here.", err=True)
        if folder.read_manifest() is None:
            raise typer.Exit(1) from None
    return write_outputs(folder, settings.home)


async def _run(experiment: Experiment, folder: ExperimentFolder, settings: Settings) -> None:
    from workbench.core.caller import LOCAL_USER
    from workbench.experiments.run.runner import ExperimentRunner
    from workbench.experiments.run.service_respondent import ServiceRespondent

    show = ProgressLine()
    async with open_service(settings) as workbench:
        for candidate in experiment.candidates:
            workbench.model(candidate.model, LOCAL_USER)
        respondent = ServiceRespondent(workbench, LOCAL_USER)
        await ExperimentRunner(experiment, folder, respondent, show, may_run_code=True).run()
    show.end()


class ProgressLine:
    """Progress on standard error: one line that changes where somebody watches, else a line now and then."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()
        self._stage = ""
        self._told_at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Shows it."""
        now = time.monotonic()
        is_due = progress.stage != self._stage or now - self._told_at >= (
            0.2 if self._is_watched else _LINE_SECONDS
        )
        if not is_due:
            return
        self._stage, self._told_at = progress.stage, now
        rest = "" if progress.eta_seconds is None else f", about {_duration(progress.eta_seconds)} left"
        text = f"{progress.fraction:>4.0%}  {progress.stage}, {progress.done} of {progress.total} items{rest}"
        sys.stderr.write(f"\r\x1b[K{text}" if self._is_watched else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leaves the line."""
        if self._is_watched:
            sys.stderr.write("\r\x1b[K")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def print_verdict(results: Results, report: Path) -> None:
    """The verdict in a few lines on standard output."""
    from workbench.experiments.report.text import verdict_text

    typer.echo(verdict_text(results))
    typer.echo(f"Report: {report}")


def new_folder(home: Path, name: str) -> Path:
    """A folder of its own for a run that was given none, under the home folder."""
    return home / "experiments" / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
