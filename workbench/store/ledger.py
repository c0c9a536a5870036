"""Small writes made beside the requests: many callers, one transaction at a time.

A line goes into the database at once where that needs no waiting (SQLite, nobody else writing). Else it joins the
others: while one transaction runs, what arrives is gathered for the next (group commit), so that a call costs the
database the less the more there are. Nothing waits for the disk: what is written survives the death of this process.
When the database cannot be written, the counts are kept and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Insert, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from workbench.core.errors import Unavailable
from workbench.store.database import Database
from workbench.store.tables import keys, usage

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

_NOW_AT_MOST = 500
"""Lines written one by one until a batch must follow: its commit lets SQLite tidy up its log."""

_COUNTS = ("requests", "prompt_tokens", "completion_tokens", "credits")
_TOUCH = update(keys).where(keys.c.id == bindparam("key_id")).values(last_used_at=bindparam("moment"))


class Line(NamedTuple):
    """Whose use of what is counted; `key_id` is empty for a page."""

    day: date
    account: str
    key_id: str
    model: str


class Counts(NamedTuple):
    """What was used."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    credits: float

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.credits + other.credits,
        )


@dataclass(slots=True)
class _Batch:
    """What one transaction writes. `is_over` is set after the attempt, whatever came of it."""

    lines: dict[Line, Counts] = field(default_factory=dict)
    touched: dict[str, datetime] = field(default_factory=dict)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    is_written: bool = False

    def __bool__(self) -> bool:
        return bool(self.lines or self.touched)

    def count(self, line: Line, counts: Counts) -> None:
        known = self.lines.get(line)
        self.lines[line] = counts if known is None else known.plus(counts)

    def absorb(self, earlier: _Batch) -> None:
        for line, counts in earlier.lines.items():
            self.count(line, counts)
        self.touched = {**earlier.touched, **self.touched}


def _add_to_usage(dialect: str) -> Insert:
    insert = postgresql.insert(usage) if dialect == "postgresql" else sqlite.insert(usage)
    return insert.on_conflict_do_update(
        index_elements=list(usage.primary_key.columns),
        set_={name: usage.c[name] + insert.excluded[name] for name in _COUNTS},
    )


class Ledger:
    """What waits to be written, and the task that writes it; the task lives only while there is something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._add_to_usage = _add_to_usage(database.dialect)
        self._open = _Batch()
        self._in_flight: _Batch | None = None
        self._writer: asyncio.Task[None] | None = None
        self._is_closing = asyncio.Event()
        self._written_now = 0

    def touch(self, key_id: str, moment: datetime) -> None:
        """Notes when a key was last used; written soon, nobody waits for it."""
        self._open.touched[key_id] = moment
        self._wake()

    async def count(self, line: Line, counts: Counts) -> bool:
        """Adds to a line. True once it is in the database; False when it has to be tried again, which it is.

        A caller cancelled while it waits is counted all the same.
        """
        if self._is_written_now(line, counts):
            return True
        batch = self._open
        batch.count(line, counts)
        self._wake()
        await batch.is_over.wait()
        return batch.is_written

    def _is_written_now(self, line: Line, counts: Counts) -> bool:
        """True when the line is in the database without having waited for anything."""
        if self._open or self._in_flight or self._written_now >= _NOW_AT_MOST:
            self._written_now = 0
            return False
        self._written_now += 1
        return self._database.write_now(self._add_to_usage, {**line._asdict(), **counts._asdict()})

    async def flush(self) -> None:
        """Returns when an attempt was made to write everything noted so far."""
        for batch in (self._in_flight, self._open):
            if batch:
                await batch.is_over.wait()

    async def close(self) -> None:
        """Writes what is left, with one attempt; what the database does not take then is lost."""
        self._is_closing.set()
        if self._writer is not None:
            await self._writer

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain(), name="store-ledger")

    async def _drain(self) -> None:
        while self._open:
            batch = self._in_flight = self._open
            self._open = _Batch()
            try:
                await self._write(batch)
                batch.is_written = True
            except Unavailable as failure:
                logger.warning("usage is kept in memory for now: %s", failure)
            finally:
                if not batch.is_written:
                    self._open.absorb(batch)
                self._in_flight = None
                batch.is_over.set()
            if not batch.is_written and not await self._is_worth_another_try():
                return

    async def _is_worth_another_try(self) -> bool:
        """Waits for it. False when the store closes meanwhile; then the attempt made while closing was the last."""
        if self._is_closing.is_set():
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), RETRY_SECONDS)
        return True

    async def _write(self, batch: _Batch) -> None:
        # Sorted, so that two processes never lock the same rows crosswise.
        rows = [{**line._asdict(), **counts._asdict()} for line, counts in sorted(batch.lines.items())]
        moments = [{"key_id": key, "moment": moment} for key, moment in sorted(batch.touched.items())]

        def work(connection: Connection) -> None:
            if rows:
                connection.execute(self._add_to_usage, rows)
            if moments:
                connection.execute(_TOUCH, moments)

        await self._database.write(work, wait_for_disk=False)
