"""`workbench try MODEL_A MODEL_B [FILE.csv]`: the quick verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.core.settings import read_settings


def try_(
    model_a: Annotated[str, typer.Argument(metavar="MODEL_A", help="As `workbench models list` shows it.")],
    model_b: Annotated[str, typer.Argument(metavar="MODEL_B", help="The one to compare it with.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.csv",
            help="Your own questions: CSV, JSONL or Parquet with prompt and expected, or choices.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the report goes; a folder under WORKBENCH_HOME by itself.", file_okay=False),
    ] = None,
) -> None:
    """Compare two models in about five minutes: three probes of 200 items each and a minute of load."""
    from workbench.cli.experiments import new_folder, print_verdict, run_experiment
    from workbench.experiments.spec.quick import quick_experiment

    folder = out or new_folder(read_settings().home, "try")
    results = run_experiment(quick_experiment((model_a, model_b), data), folder)
    print_verdict(results, folder / "report.html")
