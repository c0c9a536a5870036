"""The store: one object, one repository per noun."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.core.errors import ConfigurationError, Unavailable
from workbench.store.database import Database
from workbench.store.keys import Keys
from workbench.store.ledger import Ledger
from workbench.store.upgrade import upgrade

FILE_NAME = "workbench.db"
"""SQLite's file in the home folder."""


def utc_now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def _prepare_file(file: Path) -> None:
    """Makes the folder and the file, readable by their owner alone."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as failure:
        raise ConfigurationError(
            f"The database {file} cannot be opened: {failure.strerror}. "
            "Make the folder writable, or point WORKBENCH_HOME elsewhere."
        ) from failure


class Store:
    """Everything Workbench remembers. Made by `Store.open`; an async context manager that closes itself."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self.keys = Keys(database, clock, self._ledger.touch)

    @classmethod
    async def open(cls, address: str | Path, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """The store at a database URL or a SQLite file's path, brought to the newest version.

        Raises: ConfigurationError when it cannot be opened, with the cure.
        """
        database = Database(address)
        if database.file is not None:
            _prepare_file(database.file)
        try:
            await upgrade(database)
        except Unavailable as failure:
            await database.close()
            raise ConfigurationError(
                f"{failure.message} Check WORKBENCH_DATABASE_URL, or move a damaged file away."
            ) from failure
        except BaseException:
            await database.close()
            raise
        return cls(database, clock)

    async def flush(self) -> None:
        """Returns once everything noted behind the requests is in the database."""
        await self._ledger.flush()

    async def close(self) -> None:
        """Writes what is left and closes every connection."""
        try:
            await self._ledger.close()
        finally:
            await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
