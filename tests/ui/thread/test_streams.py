from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from guard.base import ScreenedEvent
from workbench.core.chat import Delta, Started
from workbench.core.errors import RateLimited
from workbench.ui.thread.streams import Ended, Failed, flush_seconds, gathered


class Source:
    """Gives numbered deltas without pause after `first_wait` seconds, then ends, fails, or waits for ever."""

    def __init__(self, count: int, *, first_wait: float = 0.0, end: str = "well") -> None:
        self._count, self._first_wait, self._end = count, first_wait, end
        self.is_closed = False
        self.task: asyncio.Task[object] | None = None

    async def events(self) -> AsyncGenerator[ScreenedEvent, None]:
        self.task = asyncio.current_task()
        try:
            await asyncio.sleep(self._first_wait)
            for number in range(self._count):
                yield Delta(0, content=str(number))
                await asyncio.sleep(0)
            if self._end == "badly":
                raise RateLimited("No room")
            if self._end == "never":
                await asyncio.Event().wait()
        finally:
            self.is_closed = asyncio.current_task() is self.task


def no_wait() -> float:
    return 0.0


def short_wait() -> float:
    return 0.02


async def test_what_came_within_the_interval_comes_together_and_in_order() -> None:
    batches = [batch async for batch in gathered({"a": Source(50).events()}, short_wait) if batch]
    contents = [event.content for batch in batches for _, event in batch if isinstance(event, Delta)]
    assert contents == [str(number) for number in range(50)]
    assert len(batches) < 10


async def test_an_end_and_an_error_are_the_last_event_of_their_stream() -> None:
    streams = {"good": Source(2).events(), "bad": Source(1, end="badly").events()}
    events = [arrival async for batch in gathered(streams, no_wait) for arrival in batch]
    last = dict(events)
    assert isinstance(last["good"], Ended)
    assert isinstance(last["bad"], Failed)
    assert last["bad"].error.message == "No room"


async def test_a_silence_gives_empty_batches() -> None:
    batches = [batch async for batch in gathered({"a": Source(1, first_wait=0.35).events()}, no_wait)]
    assert batches[0] == []
    assert any(batches)


async def test_closing_closes_every_stream_in_the_task_that_ran_it() -> None:
    sources = [Source(1, end="never"), Source(0, end="never")]
    streams = {str(number): source.events() for number, source in enumerate(sources)}
    batches = gathered(streams, no_wait)
    await anext(batches)
    await batches.aclose()
    assert [source.is_closed for source in sources] == [True, True]


async def test_a_cancelled_reader_closes_every_stream() -> None:
    source = Source(1, end="never")

    async def read() -> None:
        async for _ in gathered({"a": source.events()}, no_wait):
            pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert source.is_closed


@pytest.mark.parametrize(("messages", "seconds"), [(0, 0.05), (20, 0.05), (100, 0.15), (400, 0.6)])
def test_long_threads_are_painted_less_often(messages: int, seconds: float) -> None:
    assert flush_seconds(messages) == pytest.approx(seconds)


async def test_a_reader_that_is_slow_rests_as_long_as_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    really_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await really_sleep(0)

    source = Source(3)
    batches = gathered({"a": source.events()}, no_wait)
    first = await anext(batches)
    assert first
    await really_sleep(0.05)
    monkeypatch.setattr("workbench.ui.thread.streams.asyncio.sleep", sleep)
    await anext(batches)
    await batches.aclose()
    assert max(rests) >= 0.05


async def test_what_nobody_sees_delays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    really_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await really_sleep(0)

    async def begun() -> AsyncGenerator[ScreenedEvent, None]:
        yield Started(1, "print")
        await asyncio.sleep(0)
        yield Delta(0, content="first")

    monkeypatch.setattr("workbench.ui.thread.streams.asyncio.sleep", sleep)
    async for batch in gathered({"a": begun()}, short_wait):
        if any(isinstance(event, Delta) for _, event in batch):
            break
    assert not any(rests)
