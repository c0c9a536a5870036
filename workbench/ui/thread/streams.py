"""Service streams, gathered for the browser: as many events as came within an interval, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from guard.base import ScreenedEvent
from workbench.core.chat import Delta
from workbench.core.errors import WorkbenchError

TICK_SECONDS = 0.1
"""The longest silence: an empty batch lets the reader look at the stop button and at a model's loading."""


LONGEST_REST_SECONDS = 1.0
"""Between two batches of a stream that goes on, however slow the reader is."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A stream ended with this error."""

    error: WorkbenchError


@dataclass(frozen=True, slots=True)
class Ended:
    """A stream ended well."""


Arrival = tuple[str, ScreenedEvent | Failed | Ended]


def is_seen(event: ScreenedEvent | Failed | Ended) -> bool:
    """True for what the thread shows at once: text, reasoning, a tool's call."""
    return isinstance(event, Delta) and bool(event.content or event.reasoning or event.tool_calls)


def flush_seconds(messages: int) -> float:
    """How long to gather before the next paint.

    The browser renders one paint per update and the time of a paint grows with the thread: 50 ms, and 1.5 ms
    for every message.
    """
    return max(0.05, 0.0015 * messages)


async def gathered(
    streams: Mapping[str, AsyncGenerator[ScreenedEvent, None]], seconds: Callable[[], float]
) -> AsyncGenerator[list[Arrival], None]:
    """Batches of what the streams gave, by their names; ends when all have ended.

    The first event of a silence comes at once. What follows something seen comes together after `seconds()`; or, on
    a busy machine, after as long as the reader took over the batch before, so that reading never takes all the time.
    After what is not seen nobody waits: a stream begins with some of it, and the first word would be late.
    Each stream runs in a task of its own from start to end, so a time-out or a cancel scope inside it stays in one
    task. Closing this generator closes every stream before it returns.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Arrival] = asyncio.Queue()
    tasks = [asyncio.create_task(_pump(name, stream, queue)) for name, stream in streams.items()]
    open_streams = len(tasks)
    try:
        while open_streams:
            batch = await _next_batch(queue)
            open_streams -= sum(isinstance(event, Failed | Ended) for _, event in batch)
            given_at = loop.time()
            yield batch
            if open_streams and any(is_seen(event) for _, event in batch):
                await asyncio.sleep(min(max(seconds(), loop.time() - given_at), LONGEST_REST_SECONDS))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    name: str, stream: AsyncGenerator[ScreenedEvent, None], queue: asyncio.Queue[Arrival]
) -> None:
    try:
        async with aclosing(stream) as events:
            async for event in events:
                queue.put_nowait((name, event))
        queue.put_nowait((name, Ended()))
    except WorkbenchError as failure:
        queue.put_nowait((name, Failed(failure)))
    except Exception as failure:  # a silent pump would leave the page waiting for ever
        queue.put_nowait((name, Failed(WorkbenchError(f"Unexpected {type(failure).__name__}."))))
        raise


async def _next_batch(queue: asyncio.Queue[Arrival]) -> list[Arrival]:
    try:
        async with asyncio.timeout(TICK_SECONDS):
            batch = [await queue.get()]
    except TimeoutError:
        return []
    while not queue.empty():
        batch.append(queue.get_nowait())
    return batch
