from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from workbench.api.feed import Feed
from workbench.core.chat import Delta, Finished, FinishReason, Started, StreamEvent, Usage

EVENTS: tuple[StreamEvent, ...] = (
    Started(1, "f"),
    Delta(0, "a", token_count=1),
    Delta(0, finish_reason=FinishReason.STOP),
    Finished(Usage(1, 1)),
)


class Source:
    """A stream that gives events, then raises `error` or waits for ever; it knows what became of it."""

    def __init__(
        self, events: Sequence[StreamEvent], error: Exception | None = None, hangs: bool = False
    ) -> None:
        self._events = events
        self._error = error
        self._hangs = hangs
        self.tasks: set[object] = set()
        self.is_closed = False

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        self.tasks.add(asyncio.current_task())
        try:
            for event in self._events:
                yield event
            if self._hangs:
                await asyncio.Event().wait()
            if self._error is not None:
                raise self._error
        finally:
            self.tasks.add(asyncio.current_task())
            self.is_closed = True


async def test_events_keep_their_order_within_a_prompt() -> None:
    sources = [Source(EVENTS), Source(EVENTS)]
    async with Feed([source.stream() for source in sources]) as feed:
        found = [item async for item in feed]
    for prompt in (0, 1):
        assert tuple(item.event for item in found if item.prompt == prompt) == EVENTS


async def test_completions_come_in_the_prompts_order() -> None:
    async with Feed([Source(EVENTS).stream(), Source(EVENTS).stream()]) as feed:
        completions = await feed.completions()
    assert [completion.choices[0].content for completion in completions] == ["a", "a"]


async def test_acceptance_waits_for_every_prompt_and_loses_no_event() -> None:
    async with Feed([Source(EVENTS).stream(), Source(EVENTS).stream()]) as feed:
        await feed.accepted()
        found = [item async for item in feed]
    assert len(found) == 2 * len(EVENTS)


async def test_a_refusal_of_one_prompt_is_raised_before_acceptance_and_ends_the_others() -> None:
    other = Source(EVENTS, hangs=True)
    async with Feed([other.stream(), Source((), KeyError()).stream()]) as feed:
        with pytest.raises(KeyError):
            await feed.accepted()
    assert other.is_closed


async def test_each_stream_lives_in_one_task_from_start_to_close() -> None:
    source = Source(EVENTS, hangs=True)
    async with Feed([source.stream()]) as feed:
        await asyncio.create_task(feed.accepted())
        await anext(feed)
    assert source.is_closed
    assert len(source.tasks) == 1


async def test_a_feed_that_was_never_read_starts_nothing() -> None:
    source = Source(EVENTS)
    stream = source.stream()
    async with Feed([stream]):
        pass
    assert source.tasks == set()
    await stream.aclose()
