"""`workbench cluster up`: the catalogue's `ray` entries as replicas."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.core.errors import ConfigurationError
from workbench.core.settings import read_settings

app = typer.Typer(help="Several replicas of a model, by Ray Serve.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `up` a command of its own."""


@app.command()
def up(
    replicas: Annotated[
        int, typer.Option(min=1, help="Replicas of each model to begin with, and at least.")
    ] = 1,
    max_replicas: Annotated[
        int | None, typer.Option(min=1, help="At most; more than --replicas lets load decide.")
    ] = None,
    ongoing: Annotated[
        float, typer.Option(min=0.1, help="Requests at a time that one replica should have.")
    ] = 8.0,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of one replica; 0.5 lets two share one.")] = 0.0,
    cpus: Annotated[float, typer.Option(min=0, help="Processors of one replica.")] = 1.0,
    address: Annotated[
        str | None,
        typer.Option(help="A Ray that is running, as in HOST:6379. Without it one is started here."),
    ] = None,
) -> None:
    """Serve the catalogue's entries with backend = "ray", until it is stopped.

    `workbench serve` with the same WORKBENCH_HOME is the front door.
    """
    from workbench.backends.added import open_catalogue
    from workbench.cluster.deployment import Scaling
    from workbench.cluster.head import run_cluster

    settings = read_settings()
    cards = [card for card in open_catalogue(settings).cards.values() if card.backend == "ray"]
    if not cards:
        raise ConfigurationError(
            'The catalogue has no entry with backend = "ray". Add it to those that should grow.'
        )
    scaling = Scaling(
        replicas=replicas, most_replicas=max_replicas or replicas, ongoing=ongoing, gpus=gpus, cpus=cpus
    )
    run_cluster(cards, settings, scaling, address, lambda line: typer.echo(line, err=True))
