"""One database behind the whole store: SQLite in a file, or PostgreSQL by URL.

Reading and writing have connections of their own. A SQLite file takes one writer at a time, so this process
opens one writing connection and its writes queue for it here, instead of meeting as "database is locked".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from workbench.core.errors import ConfigurationError, Unavailable

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another process (the command line beside a server) to finish its write."""

_DURABLE = {
    # FULL: a commit returns after fsync. NORMAL: after the write reached the operating system, which survives
    # the death of this process but not a power cut.
    "sqlite": {True: "PRAGMA synchronous = FULL", False: "PRAGMA synchronous = NORMAL"},
    "postgresql": {True: "SET LOCAL synchronous_commit = on", False: "SET LOCAL synchronous_commit = off"},
}


# What went wrong outside this program, and what is a mistake in it or a row that must not be twice.
_FAULTS = (DatabaseError, InterfaceError, PoolTimeoutError, OSError)
_MISTAKES = (IntegrityError, ProgrammingError, DataError)


def database_url(address: str | Path) -> URL:
    """The SQLAlchemy URL of a database, from a file's path or a URL with any of the usual spellings.

    Raises: ConfigurationError for a URL of another kind of database.
    """
    if isinstance(address, Path) or "://" not in address:
        return URL.create("sqlite+aiosqlite", database=str(address))
    try:
        url = make_url(address)
    except ArgumentError as failure:
        raise ConfigurationError("WORKBENCH_DATABASE_URL is not a database URL.") from failure
    kind = url.drivername.split("+")[0]
    if kind in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+aiosqlite")
    raise ConfigurationError(
        "WORKBENCH_DATABASE_URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. "
        "Unset it to keep everything in one file under WORKBENCH_HOME."
    )


def _configure_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    level = _DURABLE["sqlite"][connection.get_execution_options().get("wait_for_disk", True)]
    if connection.info.get("durability") != level:  # cannot be changed inside a transaction
        connection.exec_driver_sql(level)
        connection.info["durability"] = level
    # Taking the write lock at once lets busy_timeout wait for it; a read that turns into a write cannot wait.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _open_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    shared: dict[str, Any] = {"hide_parameters": True}
    is_sqlite = url.get_backend_name() == "sqlite"
    if not is_sqlite:
        shared["pool_pre_ping"] = True
    try:
        reads = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=4,
            max_overflow=0,
            pool_reset_on_return=None,
            **shared,
        )
        writes = create_async_engine(url, pool_size=1 if is_sqlite else 4, max_overflow=0, **shared)
    except (ModuleNotFoundError, NoSuchModuleError) as failure:
        raise ConfigurationError(
            "PostgreSQL needs the driver psycopg: pip install 'model-workbench[postgres]'."
        ) from failure
    if is_sqlite:
        event.listen(reads.sync_engine, "connect", _configure_sqlite)
        event.listen(writes.sync_engine, "connect", _configure_sqlite)
        event.listen(writes.sync_engine, "begin", _begin_immediate)
    return reads, writes


def _why(failure: Exception) -> str:
    """What the database said, in one line and without a statement's values."""
    said = str(getattr(failure, "orig", failure)).strip().splitlines()
    return said[0].rstrip(".") if said else type(failure).__name__


class Database:
    """Connections to one database.

    Raises: ConfigurationError when the address names no database this can open.
    """

    def __init__(self, address: str | Path) -> None:
        self._url = database_url(address)
        self._reads, self._writes = _open_engines(self._url)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._url.get_backend_name()

    @property
    def file(self) -> Path | None:
        """SQLite's file, or None."""
        return Path(self._url.database or "") if self.dialect == "sqlite" else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees every commit made so far, by this process or another.

        Raises: Unavailable when the database does not answer.
        """
        try:
            async with self._reads.connect() as connection:
                yield connection
        except _MISTAKES:
            raise
        except _FAULTS as failure:
            raise Unavailable(
                f"The database cannot be read: {_why(failure)}.", retry_after_seconds=5
            ) from failure

    @asynccontextmanager
    async def writing(self, *, wait_for_disk: bool = True) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is committed at the end, or rolled back by an exception.

        Once this returns, the change survives the death of this process; with `wait_for_disk`, a power cut
        too.

        Raises: Unavailable when the database does not answer or the disk is full.
        """
        try:
            async with self._writes.connect() as connection:
                await connection.execution_options(wait_for_disk=wait_for_disk)
                async with connection.begin():
                    if self.dialect == "postgresql":
                        await connection.execute(text(_DURABLE["postgresql"][wait_for_disk]))
                    yield connection
        except _MISTAKES:
            raise
        except _FAULTS as failure:
            raise Unavailable(
                f"The database cannot be written: {_why(failure)}.", retry_after_seconds=5
            ) from failure

    async def close(self) -> None:
        """Closes every connection."""
        await self._reads.dispose()
        await self._writes.dispose()
