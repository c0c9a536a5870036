"""`workbench questions`: the seven questions of a feasibility study, listed or asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from workbench.experiments.spec.experiment import Experiment

FULL_RUN_SUFFIXES = ("", ":int8", ":nf4")
"""The default candidates: the default model's weights as they are, and in 8 and 4 bits."""


def questions(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="As the list shows them; none means all.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A candidate; may be repeated. By itself fp32, int8 and nf4 of the embedded model."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Run, and put everything here. An interrupted run goes on where it stopped.",
        ),
    ] = None,
    items: Annotated[int | None, typer.Option(min=1, help="Most items of each probe.")] = None,
    load: Annotated[
        bool, typer.Option("--load/--no-load", help="Also a minute of load on each candidate.")
    ] = False,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="The full run: also a sweep of loads, and answers asked again under load."
        ),
    ] = False,
) -> None:
    """Ask the seven questions: without --out, say what they are and how long they would take here."""
    from workbench.backends.catalogue import EMBEDDED_ID
    from workbench.cli.experiments import print_verdict, run_experiment
    from workbench.experiments.spec.load import LoadSpec
    from workbench.experiments.spec.seven_questions import question_experiment

    candidates = model or [EMBEDDED_ID + suffix for suffix in FULL_RUN_SUFFIXES]
    experiment = question_experiment(
        candidates, names or (), items=items, load=LoadSpec() if load else None, is_full=full
    )
    typer.echo(f"{len(candidates)} candidates: {_time_words(experiment)}", err=out is not None)
    if out is None:
        _list(experiment, names or ())
        return
    print_verdict(run_experiment(experiment, out), out / "report.html")


def _time_words(experiment: Experiment) -> str:
    from workbench.experiments.estimate import estimate_words, estimated_seconds, machine_rates
    from workbench.experiments.library import FOLDER
    from workbench.experiments.spec.probe import open_probe

    rates = machine_rates(read_settings().home / FOLDER)
    probes = [open_probe(spec, experiment.seed) for spec in experiment.probes]
    return estimate_words(estimated_seconds(experiment, probes, rates), rates)


def _list(experiment: Experiment, names: Sequence[str]) -> None:
    from textwrap import fill

    from workbench.experiments.spec.seven_questions import questions as chosen

    for question in chosen(names):
        own = [probe.name for probe in experiment.probes if probe.question == question.name]
        typer.echo(f"\n{question.name}: {question.title}")
        typer.echo(fill(question.explanation, 100, initial_indent="  ", subsequent_indent="  "))
        typer.echo(
            fill(f"Probes: {', '.join(own)}.", 100, initial_indent="  ", subsequent_indent="  ",
                 break_on_hyphens=False)
        )  # fmt: skip
