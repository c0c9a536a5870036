"""`workbench guard evaluate`: a guard under test on a labelled set, without a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.core.errors import NotFound, WorkbenchError
from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from guard.evaluate import GuardReport
    from guard.labelled_set import LabelledSet

app = typer.Typer(help="Guards, and how good they are.", no_args_is_help=True)

_RATES = ("precision", "recall", "f1", "fpr", "accuracy", "auprc", "auroc")


@app.command()
def evaluate(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            metavar="FILE.jsonl",
            help="JSON lines: `prompt`, optional `response`, `label` safe or unsafe, optional `categories`.",
        ),
    ],
    guard: Annotated[
        str | None, typer.Option(help="The guard's name. [default: the server's own]", metavar="NAME")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The smallest P(unsafe) that is flagged. [default: the guard's own]"),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(min=1, help="Rows judged at once: more is faster, but times are then those of batches."),
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Judge every row of a labelled set and say how often the guard was right.

    No text of the set is written: rows are named by their line.
    """
    from guard.labelled_set import read_labelled_file

    labelled = read_labelled_file(file)
    for row in labelled.bad_rows:
        typer.echo(f"line {row.line} is left out: {row.reason}", err=True)
    report = asyncio.run(_report(labelled, guard, threshold, batch_size))
    typer.echo(json.dumps(report.as_json()) if as_json else _table(report))
    if report.n == 0:
        raise WorkbenchError(f"The guard {report.guard} could judge no row of the set.")


async def _report(
    labelled: LabelledSet, name: str | None, threshold: float | None, batch_size: int
) -> GuardReport:
    from guard.evaluate import evaluate as evaluate_guard
    from guard.evaluate import warm_up
    from workbench.backends.added import open_catalogue
    from workbench.site import make_workbench

    settings = read_settings()
    workbench = make_workbench(settings, open_catalogue(settings))
    try:
        opened = await workbench.guards.open(name or workbench.guards.default)
    except NotFound as failure:
        raise typer.BadParameter(failure.message, param_hint="--guard") from None
    try:
        await warm_up(opened)
        return await evaluate_guard(
            opened, labelled, threshold=threshold, batch_size=batch_size, on_progress=_Progress()
        )
    finally:
        await workbench.stop(grace_seconds=0)


class _Progress:
    """Writes every tenth of the rows once."""

    def __init__(self) -> None:
        self._last = -1

    def __call__(self, done: int, total: int) -> None:
        tenth = done * 10 // total
        if tenth != self._last:
            self._last = tenth
            typer.echo(f"{done} of {total} rows", err=True)


def _table(report: GuardReport) -> str:
    """The report for a person to read."""
    counts = f"{report.n} judged, {report.n_unsafe} of them unsafe; {report.unavailable} not judged"
    lines = [
        f"guard      {report.guard} ({report.fingerprint})",
        f"threshold  {'by direction' if report.threshold is None else f'{report.threshold:.3g}'}",
        f"rows       {counts}, {len(report.bad_rows)} bad",
    ]
    for name in _RATES:
        value, interval = getattr(report, name), report.intervals.get(name)
        within = "" if interval is None else f"  95% interval {interval[0]:.3f} to {interval[1]:.3f}"
        lines.append(f"{name:<9}  {'undefined' if value is None else f'{value:.3f}'}{within}")
    if report.ms_per_prompt_p50 is not None and report.ms_per_prompt_p95 is not None:
        times = f"{report.ms_per_prompt_p50:.1f} ms, p95 {report.ms_per_prompt_p95:.1f} ms"
        lines.append(f"a row      p50 {times}")
    for code, hazard in report.hazards.items():
        recall = "undefined" if hazard.recall is None else f"{hazard.recall:.3f}"
        lines.append(f"{code:<9}  recall {recall} of {hazard.n} rows")
    for name, rows in (("flagged though safe", report.false_positives), ("missed", report.false_negatives)):
        if rows:
            lines.append(f"{name}: lines {', '.join(map(str, rows))}")
    return "\n".join(lines)
