"""`workbench evaluate SPEC.toml --out DIR`: an experiment without the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    spec: Annotated[
        Path,
        typer.Argument(
            metavar="SPEC.toml",
            help="The experiment, or the manifest.json of one that is to be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="DIR",
            file_okay=False,
            help="Where everything goes. An interrupted run goes on where it stopped.",
        ),
    ],
    fail_on_no_go: Annotated[
        bool, typer.Option("--fail-on-no-go", help="Exit code 1 when no candidate may be built on.")
    ] = False,
) -> None:
    """Run an experiment and write report.html, verdict.json, the samples, the requests and the manifest."""
    from evaluators.verdict import Decision
    from workbench.cli.experiments import print_verdict, run_experiment
    from workbench.experiments.spec.experiment import read_experiment

    results = run_experiment(read_experiment(spec), out)
    print_verdict(results, out / "report.html")
    if fail_on_no_go and results.decision is Decision.NO_GO:
        raise typer.Exit(1)
