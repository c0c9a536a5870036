"""The same work for many things, so many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


async def at_once(things: Iterable[Thing], work: Callable[[Thing], Awaitable[object]], most: int) -> None:
    """Does the work for each thing in turn, for at most `most` of them at the same time.

    Raises: what the work raised first, itself and in no group; what was under way is cancelled.
    """
    waiting = iter(things)

    async def keep_on() -> None:
        for thing in waiting:
            await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(most):
                group.create_task(keep_on())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
