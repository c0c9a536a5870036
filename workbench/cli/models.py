"""`workbench models list | pull | set-key | delete-key`: the catalogue, and the weights it needs."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer

from workbench.core.errors import InvalidRequest
from workbench.core.settings import Settings, read_settings

app = typer.Typer(help="The catalogue of models.", no_args_is_help=True)

_EMBEDDED = "embedded:"


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the catalogue's models, the default one first."""
    from workbench.backends.added import open_catalogue

    cards = open_catalogue(read_settings()).cards.values()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(card) for card in cards]))
        return
    width = max(len(card.id) for card in cards)
    for card in cards:
        price = (
            ""
            if card.price_per_million_tokens is None
            else f"{card.price_per_million_tokens:g} credits/M tokens"
        )
        typer.echo(f"{card.id:<{width}}  {card.quantization:<5}  {card.region:<12}  {price}".rstrip())


@app.command()
def pull(
    model: Annotated[str, typer.Argument(metavar="ID", help="As `workbench models list` shows it.")],
) -> None:
    """Bring an embedded model's weights into WORKBENCH_HOME, verified and converted."""
    from workbench.backends.added import open_catalogue

    settings = read_settings()
    card = open_catalogue(settings).get(model)
    if not card.source.startswith(_EMBEDDED):
        raise InvalidRequest(
            f"`{model}` is no embedded model: its weights are loaded from {card.source} when used."
        )
    from workbench.engine.weights import ensure_embedded

    folder = ensure_embedded(card.source.removeprefix(_EMBEDDED), settings.home, _Progress())
    typer.echo(str(folder))


@app.command("set-key")
def set_key(
    model: Annotated[str, typer.Argument(metavar="ID", help="A remote entry of the catalogue.")],
) -> None:
    """Store the key of a remote endpoint, encrypted; it is asked for, or read from standard input."""
    from workbench.cli.local_store import with_store
    from workbench.remote_keys import StoredKeys

    settings = read_settings()
    _check_takes_key(model, settings)
    key = (
        typer.prompt("Key", hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\n")
    )
    keys = StoredKeys(settings)
    with_store(lambda store: keys.put(store, model, key))
    typer.echo(
        f"The key of {model} is stored. A running server takes it when it loads the model next.", err=True
    )


@app.command("delete-key")
def delete_key(
    model: Annotated[str, typer.Argument(metavar="ID", help="A remote entry of the catalogue.")],
) -> None:
    """Forget the stored key of a remote endpoint."""
    from workbench.cli.local_store import with_store

    if not with_store(lambda store: store.remote_keys.delete(model)):
        raise InvalidRequest(f"No key is stored for `{model}`.")


def _check_takes_key(model: str, settings: Settings) -> None:
    """Raises: InvalidRequest for a model that would never use a stored key."""
    from workbench.backends.added import open_catalogue

    card = open_catalogue(settings).get(model)
    if card.backend != "remote":
        raise InvalidRequest(f"`{model}` is no remote endpoint: it needs no key.")
    if card.api_key_env is not None:
        raise InvalidRequest(f"`{model}` takes its key from {card.api_key_env}. Remove api_key_env first.")


class _Progress:
    """Writes every stage once, and every tenth of it."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, stage: str, fraction: float) -> None:
        now = (stage, int(fraction * 10))
        if now != self._last:
            self._last = now
            typer.echo(f"{stage}: {fraction:.0%}", err=True)
