"""`workbench users create | list`: accounts. With an admin among them the server asks everybody to log in."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from workbench.cli.local_store import with_store
from workbench.core.access import AccountRole
from workbench.core.settings import read_settings

app = typer.Typer(help="Accounts.", no_args_is_help=True)

_COLUMNS = {"name": 24, "role": 8, "created": 20, "last_login": 20, "disabled": 0}
"""The table's columns and their widths."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits and . _ - @ +.")],
    admin: Annotated[bool, typer.Option("--admin", help="Decides about keys, models and accounts.")] = False,
) -> None:
    """Make an account; its password is asked for.

    Where nobody can type, WORKBENCH_ADMIN_PASSWORD (or WORKBENCH_ADMIN_PASSWORD_FILE) gives an admin's password.
    """
    role = AccountRole.ADMIN if admin else AccountRole.MEMBER
    password = read_settings().read_admin_password() if admin else None
    if password is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    made = with_store(lambda store: store.accounts.create(name, password, role))
    typer.echo(f"{made.name} is made, as {made.role}. A running server without accounts asks for log-ins after a "
               "restart.", err=True)  # fmt: skip


@app.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the accounts."""
    rows = [
        {
            "name": account.name,
            "role": account.role.value,
            "created": _moment(account.created_at),
            "last_login": _moment(account.last_login_at),
            "disabled": _moment(account.disabled_at),
        }
        for account in with_store(lambda store: store.accounts.list())
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    typer.echo("  ".join(f"{column:<{width}}" for column, width in _COLUMNS.items()).rstrip())
    for row in rows:
        typer.echo("  ".join(f"{row[column] or '-':<{width}}" for column, width in _COLUMNS.items()).rstrip())


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
