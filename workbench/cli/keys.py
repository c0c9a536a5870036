"""`workbench keys create | list | rotate | revoke`: a change counts at a running server's next request."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.local_store import with_store
from workbench.core.access import KeyKind
from workbench.core.caller import LOCAL_USER

if TYPE_CHECKING:
    from workbench.store import NewKey, Store

app = typer.Typer(help="API keys.", no_args_is_help=True)

_COLUMNS = {"id": 16, "kind": 9, "created": 20, "expires": 20, "revoked": 20, "last_used": 20, "name": 0}
"""The table's columns and their widths."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST_DAYS = 36_500


def duration(text: str) -> timedelta:
    """`30d`, `24h`, `90m`, `45s` or `2w` as a span of time. Raises: typer.BadParameter."""
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip())
    if found is None:
        raise typer.BadParameter("write a number and s, m, h, d or w, such as 30d")
    try:
        span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        span = timedelta.max
    if span > timedelta(days=_LONGEST_DAYS):
        raise typer.BadParameter("this is longer than a hundred years")
    return span


AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="As `workbench keys list` shows it.")]
Expires = Annotated[
    timedelta | None,
    typer.Option(
        parser=duration, metavar="SPAN", help="Such as 30d, 24h or 90m; without it the key lives on."
    ),
]


def _show(key_id: str, secret: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"id": key_id, "key": secret}))
    else:
        typer.echo(f"{key_id}\n{secret}")
        typer.echo("The key is shown this once; only a hash of it is kept.", err=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for.")],
    kind: Annotated[KeyKind, typer.Option(help="What it opens.")] = KeyKind.INFERENCE,
    expires: Expires = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model it may use; repeatable. Without it: all.", metavar="ID")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Whose it is. [default: the local user]", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once."""

    async def make(store: Store) -> NewKey:
        owner = LOCAL_USER.account if account is None else (await store.accounts.get(account)).name
        return await store.keys.create(name=name, kind=kind, account=owner, expires=expires, models=model)

    made = with_store(make)
    _show(made.id, made.secret, as_json)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys by id."""
    records = with_store(lambda store: store.keys.list())
    rows = [
        {
            "id": record.id,
            "name": record.name,
            "kind": record.kind.value,
            "created": _moment(record.created_at),
            "expires": _moment(record.expires_at),
            "revoked": _moment(record.revoked_at),
            "last_used": _moment(record.last_used_at),
        }
        for record in records
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    typer.echo("  ".join(f"{column:<{width}}" for column, width in _COLUMNS.items()).rstrip())
    for row in rows:
        typer.echo("  ".join(f"{row[column] or '-':<{width}}" for column, width in _COLUMNS.items()).rstrip())


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration, metavar="SPAN", help="How long the key before it still works. [default: 0s]"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a key another secret and show it, this once."""
    made = with_store(lambda store: store.keys.rotate(key_id, grace or timedelta(0)))
    _show(made.id, made.secret, as_json)


@app.command()
def revoke(key_id: KeyId) -> None:
    """Close a key for good."""
    with_store(lambda store: store.keys.revoke(key_id))
    typer.echo(f"{key_id} is revoked.", err=True)
