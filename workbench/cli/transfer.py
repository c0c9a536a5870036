"""`workbench export` and `workbench import`: the store as a file, for backups and for moving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.core.errors import InvalidRequest
from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from workbench.store.database import Database


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; compressed if it ends in .gz.")],
) -> None:
    """Write accounts, keys, use, requests for models and the list of experiments into a file.

    A running server goes on meanwhile; the file is the store of one moment. It has hashes of keys and passwords, not
    the keys and passwords, and is readable for you alone.
    """
    from workbench.store.dump import write_dump
    from workbench.store.opening import sqlite_path

    file_of_store = sqlite_path(_address())
    if file_of_store is not None and not file_of_store.exists():  # opening would make one
        raise InvalidRequest(f"There is no store {file_of_store}: nothing to export.")
    rows = _with_database(lambda database: write_dump(database, file))
    typer.echo(f"Rows in {file}: {rows}.", err=True)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `workbench export` has written.")],
    replace: Annotated[bool, typer.Option("--replace", help="Delete first what the store has.")] = False,
) -> None:
    """Put an export into this machine's store, also one of an earlier version or of another database.

    Stop the server before: what it writes meanwhile would be lost under --replace.
    """
    from workbench.store.restore import restore

    rows = _with_database(lambda database: restore(database, file, replaces=replace))
    typer.echo(f"Rows in the store now: {rows}.", err=True)


def _with_database(work: Callable[[Database], Awaitable[int]]) -> int:
    """What `work` gives on this machine's database, left at its version. Raises: a WorkbenchError."""
    from workbench.store.opening import open_database

    async def run() -> int:
        database = open_database(_address())
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _address() -> str | Path:
    """Where this machine's store is: a URL or a file."""
    from workbench.store import FILE_NAME

    settings = read_settings()
    return settings.database_url or settings.home / FILE_NAME
