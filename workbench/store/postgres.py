"""PostgreSQL, through psycopg's asynchronous driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Insert, Select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from workbench.core.errors import ConfigurationError
from workbench.store.database import AnyRow, T, faults_named

_CONNECTIONS = 4

_DURABILITY = {
    True: text("SET LOCAL synchronous_commit = on"),
    False: text("SET LOCAL synchronous_commit = off"),
}


class PostgresDatabase:
    """A PostgreSQL database.

    Raises: ConfigurationError when the driver is not installed.
    """

    dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        pool: dict[str, Any] = {"pool_size": _CONNECTIONS, "pool_pre_ping": True, "hide_parameters": True}
        try:
            self._reads = create_async_engine(
                url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **pool
            )
            self._writes = create_async_engine(url, **pool)
        except ModuleNotFoundError as failure:
            raise ConfigurationError(
                "PostgreSQL needs the driver psycopg: pip install 'model-workbench[postgres]'."
            ) from failure

    async def lookup(self, query: Select[Any], values: Mapping[str, object]) -> AnyRow | None:
        """The row found by an index."""
        return await self.read(lambda connection: connection.execute(query, values).first())

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives back."""
        with faults_named("read"):
            async with self._reads.connect() as connection:
                return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T], *, wait_for_disk: bool = True) -> T:
        """What `work` gives back, committed."""
        with faults_named("written"):
            async with self._writes.begin() as connection:
                await connection.execute(_DURABILITY[wait_for_disk])
                return await connection.run_sync(work)

    def write_now(self, statement: Insert, row: Mapping[str, object]) -> bool:
        """False: a server is always waited for."""
        return False

    async def close(self) -> None:
        """Closes every connection."""
        await self._reads.dispose()
        await self._writes.dispose()
