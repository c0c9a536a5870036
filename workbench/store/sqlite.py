"""SQLite, through the standard library's driver.

A transaction is a handful of calls of tens of microseconds. Handing each call to a thread, as an asynchronous
driver does, costs ten times the work itself; so a whole transaction goes to a thread at once. A file takes one
writer at a time, so there is one writing thread: writes queue for it in order, instead of meeting as "database is
locked". A lookup by an index does not leave the event loop at all: readers never wait for the writer. Neither does one
small row beside a request, where the write lock is free: waking a thread and waiting for it costs a busy machine
milliseconds, the row itself a tenth of one. Such a commit does not wait for the disk, and never moves the log into the
file: that is left to the writing thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Select, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from workbench.store import sqlite_file
from workbench.store.database import AnyRow, T, faults_named
from workbench.store.sqlite_row_writer import RowWriter

BUSY_TIMEOUT_MS = 10_000
"""How long to wait for another process (the command line beside a server) to finish its write."""

_READERS = 2

_DURABILITY = {True: "PRAGMA synchronous = FULL", False: "PRAGMA synchronous = NORMAL"}
"""FULL: a commit returns after fsync. NORMAL: once the operating system has the write."""


def _configure(busy_timeout_ms: int) -> Callable[[Any, ConnectionPoolEntry], None]:
    def configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        for pragma in (f"busy_timeout = {busy_timeout_ms}", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return configure


def _begin_immediate(connection: Connection) -> None:
    level = _DURABILITY[connection.get_execution_options().get("wait_for_disk", True)]
    if connection.info.get("durability") != level:  # cannot be changed inside a transaction
        connection.exec_driver_sql(level)
        connection.info["durability"] = level
    # Taking the write lock at once lets busy_timeout wait for it; a read that turns into a write cannot wait.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _engine(file: Path, busy_timeout_ms: int, **settings: Any) -> Engine:
    url = URL.create("sqlite", database=str(file))
    engine = create_engine(url, hide_parameters=True, max_overflow=0, **settings)
    event.listen(engine, "connect", _configure(busy_timeout_ms))
    return engine


class SqliteDatabase:
    """A SQLite file.

    Raises: ConfigurationError when it cannot be opened or is no database.
    """

    dialect = "sqlite"

    def __init__(self, file: Path) -> None:
        sqlite_file.prepare(file)
        reading: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        self._lookups = _engine(file, 0, pool_size=1, **reading)
        self._reads = _engine(file, BUSY_TIMEOUT_MS, pool_size=_READERS, **reading)
        self._writes = _engine(file, BUSY_TIMEOUT_MS, pool_size=1)
        event.listen(self._writes, "begin", _begin_immediate)
        self._now = RowWriter(file)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write")

    async def lookup(self, query: Select[Any], values: Mapping[str, object]) -> AnyRow | None:
        """The row found by an index, read here and now."""
        try:
            with self._lookups.connect() as connection:
                return connection.execute(query, values).first()
        except (
            OperationalError
        ):  # locked, as while a file is recovered: a thread can wait for it, the loop cannot
            return await self.read(lambda connection: connection.execute(query, values).first())

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives back, from a reading thread."""

        def run() -> T:
            with faults_named("read"), self._reads.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def write(self, work: Callable[[Connection], T], *, wait_for_disk: bool = True) -> T:
        """What `work` gives back, committed by the writing thread. It is committed even if the caller is cancelled."""

        def run() -> T:
            with faults_named("written"), self._writes.connect() as connection:
                connection.execution_options(wait_for_disk=wait_for_disk)
                with connection.begin():
                    return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    def write_now(self, statement: Insert, row: Mapping[str, object]) -> bool:
        """True once the row is committed; False where another connection is writing, or the file cannot be written."""
        return self._now.write(statement, row)

    async def close(self) -> None:
        """Lets running work end and closes the file."""
        self._now.close()
        for executor in (self._writer, self._readers):
            await asyncio.to_thread(executor.shutdown)
        for engine in (self._lookups, self._reads, self._writes):
            engine.dispose()
