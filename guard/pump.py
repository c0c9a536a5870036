"""Reading ahead: a generator that goes on while its consumer waits for something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Generic, TypeVar

Event = TypeVar("Event")


class Pump(Generic[Event]):
    """Drains a generator into a buffer from one task, which also closes it.

    One task, because generators over network clients must be closed by the task that runs them. The buffer
    has no limit of its own: it never holds more than one answer.
    """

    def __init__(self, source: AsyncGenerator[Event, None]) -> None:
        self._source = source
        self._events: list[Event] = []
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._drain(), name="read ahead")

    async def _drain(self) -> None:
        try:
            async with aclosing(self._source) as source:
                async for event in source:
                    self._events.append(event)
                    self._changed.set()
        finally:
            self._changed.set()

    async def batch(self) -> list[Event]:
        """All events that have come since the last call, at least one; empty when there are no more.

        Raises: what the source raised, after every event that came before it.
        """
        await self._changed.wait()
        events, self._events = self._events, []
        if events:
            if not self._task.done():
                self._changed.clear()
            return events
        await asyncio.wait({self._task})
        self._task.result()
        return []

    async def __aenter__(self) -> Pump[Event]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the source and waits until it is closed."""
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # retrieved here: whoever left early no longer wants it raised
