"""One database behind the whole store: SQLite in a file, or PostgreSQL by URL.

Repositories write their statements once, as plain functions of a connection; how the event loop is kept free while
they run is each database's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Row, Select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workbench.core.errors import ConfigurationError, Unavailable

T = TypeVar("T")

AnyRow = Row[tuple[Any, ...]]

# What went wrong outside this program, and what is a mistake in it or a row that must not be twice.
_FAULTS = (DatabaseError, InterfaceError, PoolTimeoutError, OSError)
_MISTAKES = (IntegrityError, ProgrammingError, DataError)

_RETRY_AFTER_SECONDS = 5


class Database(Protocol):
    """Runs work on connections of its own. A read sees every commit made before it, by any process."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    async def lookup(self, query: Select[Any], values: Mapping[str, object]) -> AnyRow | None:
        """The row that a query by an index finds, or None: for what every request asks.

        Raises: Unavailable when the database does not answer.
        """
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives back. It must fetch what it needs: rows cannot be read later.

        Raises: Unavailable when the database does not answer.
        """
        ...

    async def write(self, work: Callable[[Connection], T], *, wait_for_disk: bool = True) -> T:
        """What `work` gives back, run in a transaction that an exception rolls back.

        Once this returns, the change survives the death of this process; with `wait_for_disk`, a power cut too.

        Raises: Unavailable when the database does not answer or the disk is full.
        """
        ...

    async def close(self) -> None:
        """Lets running work end and closes every connection."""
        ...


@contextmanager
def faults_named(what: str) -> Iterator[None]:
    """Turns a fault of the database into Unavailable: "The database cannot be <what>: ..."."""
    try:
        yield
    except _MISTAKES:
        raise
    except _FAULTS as failure:
        raise Unavailable(
            f"The database cannot be {what}: {_why(failure)}.", retry_after_seconds=_RETRY_AFTER_SECONDS
        ) from failure


def _why(failure: Exception) -> str:
    """What the database said, in one line and without a statement's values."""
    said = str(getattr(failure, "orig", failure)).strip().splitlines()
    return said[0].rstrip(".") if said else type(failure).__name__


def _url(address: str) -> URL:
    try:
        return make_url(address)
    except ArgumentError as failure:
        raise ConfigurationError("WORKBENCH_DATABASE_URL is not a database URL.") from failure


def open_database(address: str | Path) -> Database:
    """The database at a file's path or a URL, in any of the usual spellings.

    Raises: ConfigurationError when it is of another kind, its driver is missing, or its file cannot be used.
    """
    from workbench.store.sqlite import SqliteDatabase

    if isinstance(address, Path) or "://" not in address:
        return SqliteDatabase(Path(address))
    url = _url(address)
    kind = url.drivername.split("+")[0]
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return SqliteDatabase(Path(str(url.database)))
    if kind in ("postgres", "postgresql"):
        from workbench.store.postgres import PostgresDatabase

        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise ConfigurationError(
        "WORKBENCH_DATABASE_URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. "
        "Unset it to keep everything in one file under WORKBENCH_HOME."
    )
