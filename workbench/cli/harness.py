"""`workbench harness TASK ...`: an lm-evaluation-harness task asked of a model through the API."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.core.errors import ConfigurationError

if TYPE_CHECKING:
    from workbench.experiments.harness import HarnessScore

_KEY_VARIABLE = "WORKBENCH_API_KEY"


def harness(
    tasks: Annotated[
        list[str], typer.Argument(metavar="TASK...", help="As lm-evaluation-harness knows them.")
    ],
    model: Annotated[str, typer.Option(help="The model's id on the server.", metavar="ID")],
    tokenizer: Annotated[
        str, typer.Option(help="The model's tokenizer: a folder or a hub id.", metavar="FOLDER_OR_ID")
    ],
    out: Annotated[Path, typer.Option(help="Where its files go.", metavar="DIR", file_okay=False)],
    base_url: Annotated[
        str, typer.Option(help=f"The server; its key is read from {_KEY_VARIABLE}.")
    ] = "http://127.0.0.1:7860/openai/v1",
    python: Annotated[
        Path | None,
        typer.Option(help="The python of the environment that has lm-evaluation-harness.", metavar="PATH"),
    ] = None,
    task_folder: Annotated[
        Path | None, typer.Option(help="Tasks of your own, as YAML files.", exists=True, file_okay=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most items of a task.")] = None,
    concurrent: Annotated[int, typer.Option(min=1, help="Requests at once.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Run tasks of an installed lm-evaluation-harness against a running server, and give scores with intervals."""
    from workbench.experiments.harness import (
        HarnessRun,
        completions_args,
        find_harness,
        harness_scores,
        run_harness,
    )

    found = find_harness(python)
    key = os.environ.get(_KEY_VARIABLE)
    if not key:
        raise ConfigurationError(f"Set {_KEY_VARIABLE} to a key of the server.")
    args = completions_args(base_url, model, tokenizer, concurrent=concurrent)
    run = HarnessRun(found, tuple(tasks), "local-completions", args, out, task_folder, limit, api_key=key)
    scores = [_as_json(score) for score in harness_scores(run_harness(run))]
    out.joinpath("scores.json").write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    typer.echo(json.dumps(scores) if as_json else "\n".join(_line(score) for score in scores))


def _as_json(score: HarnessScore) -> dict[str, Any]:
    from workbench.experiments.report.json_values import estimate_json

    return {"task": score.task, "metric": score.metric, **estimate_json(score.summary.estimate)}


def _line(score: dict[str, Any]) -> str:
    interval = score["interval"]
    bounds = "no interval" if interval is None else f"{interval['low']:.3f} to {interval['high']:.3f}"
    return f"{score['task']}, {score['metric']}: {score['value']:.3f} ({bounds}), {score['count']} items"
