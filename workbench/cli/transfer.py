"""`workbench export` and `workbench import`: the store as a file, for backups and for moving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

    rows = _with_database(lambda database: write_dump(database, file))
    typer.echo(f"{rows} rows are in {file}.", err=True)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `workbench export` has written.")],
    replace: Annotated[bool, typer.Option("--replace", help="Delete first what the store has.")] = False,
) -> None:
    """Put an export into this machine's store, also one of an earlier version or of another database.

    Stop the server before: what it writes meanwhile would be lost under --replace.
    """
    from workbench.store.restore import restore

    rows = _with_database(lambda database: restore(database, file, replaces=replace))
    typer.echo(f"{rows} rows are in the store.", err=True)


def _with_database(work: Callable[[Database], Awaitable[int]]) -> int:
    """What `work` gives on this machine's database, left at its version. Raises: a WorkbenchError."""
    from workbench.store import FILE_NAME
    from workbench.store.opening import open_database

    settings = read_settings()

    async def run() -> int:
        database = open_database(settings.database_url or settings.home / FILE_NAME)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
