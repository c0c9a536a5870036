"""What the store asks of a database, and what its faults become.

Repositories write their statements once, as plain functions of a connection; how the event loop is kept free while
they run is each database's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Insert, Row, Select
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workbench.core.errors import Unavailable

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

    def write_now(self, statement: Insert, row: Mapping[str, object]) -> bool:
        """True once the row survives the death of this process; False when that would have to be waited for.

        It does not leave the event loop: for one small row beside every request.
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
