"""Small writes made behind the requests: many callers, one transaction at a time.

While one transaction runs, what arrives is gathered for the next (group commit). When the database cannot be
written, nothing is dropped: it is tried again until it can.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from sqlalchemy import bindparam, update

from workbench.core.errors import Unavailable
from workbench.store.database import Database
from workbench.store.tables import keys

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

_TOUCH = update(keys).where(keys.c.id == bindparam("key_id")).values(last_used_at=bindparam("moment"))


class Ledger:
    """What waits to be written, and the task that writes it; the task lives only while there is something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._touched: dict[str, datetime] = {}
        self._writer: asyncio.Task[None] | None = None

    def touch(self, key_id: str, moment: datetime) -> None:
        """Notes when a key was last used."""
        self._touched[key_id] = moment
        self._wake()

    async def flush(self) -> None:
        """Returns once everything noted so far is in the database."""
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)

    async def close(self) -> None:
        """Writes what is left, with one attempt; the rest is lost when the database does not take it."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._touched:
            await self._write()

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain(), name="store-ledger")

    async def _drain(self) -> None:
        while self._touched:
            try:
                await self._write()
            except Unavailable as failure:
                logger.warning("usage is kept in memory for now: %s", failure)
                await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        touched, self._touched = self._touched, {}
        try:
            async with self._database.writing(wait_for_disk=False) as connection:
                rows = [{"key_id": key_id, "moment": moment} for key_id, moment in touched.items()]
                await connection.execute(_TOUCH, rows)
        except BaseException:  # also a cancellation: what was taken goes back before anything newer
            self._touched = {**touched, **self._touched}
            raise
