"""The store: one object, one repository per noun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.core.errors import ConfigurationError, Unavailable
from workbench.store.accounts import Accounts
from workbench.store.admin_log import AdminLog
from workbench.store.attachments import Attachments
from workbench.store.database import Database
from workbench.store.experiments import Experiments
from workbench.store.keys import Keys
from workbench.store.ledger import Ledger
from workbench.store.login_attempts import LoginAttempts
from workbench.store.model_requests import ModelRequests
from workbench.store.opening import open_database
from workbench.store.passwords import Passwords
from workbench.store.remote_keys import RemoteKeys
from workbench.store.upgrade import upgrade
from workbench.store.usage import UsageRecords
from workbench.store.votes import Votes

FILE_NAME = "workbench.db"
"""SQLite's file in the home folder."""


def utc_now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


class Store:
    """Everything Workbench remembers. Made by `Store.open`; an async context manager that closes itself."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self.keys = Keys(database, clock, self._ledger.touch)
        self.usage = UsageRecords(database, self._ledger, clock)
        self.model_requests = ModelRequests(database, clock)
        self.attachments = Attachments(database)
        self.experiments = Experiments(database, clock)
        self.remote_keys = RemoteKeys(database, clock)
        self.admin_log = AdminLog(database, clock)
        self.votes = Votes(database, clock)
        self.accounts = Accounts(database, clock, Passwords(), LoginAttempts())

    @classmethod
    async def open(cls, address: str | Path, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """The store at a database URL or a SQLite file's path, brought to the newest version.

        Raises: ConfigurationError when it cannot be opened, with the cure.
        """
        database = await asyncio.to_thread(open_database, address)
        try:
            await upgrade(database)
        except Unavailable as failure:
            await database.close()
            raise ConfigurationError(f"{failure.message} Check WORKBENCH_DATABASE_URL.") from failure
        except BaseException:
            await database.close()
            raise
        return cls(database, clock)

    async def flush(self) -> None:
        """Returns when an attempt was made to write everything noted beside the requests."""
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
