"""The events of one call: its prompts' streams, each owned by a task of its own, in the order they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from guard.base import Screened, ScreenedEvent
from workbench.api.moderated import ModerationReport
from workbench.api.timing import TimingReport
from workbench.core.caller import Caller
from workbench.core.chat import Completion, CompletionBuilder, GenerationRequest, Started
from workbench.core.errors import WorkbenchError
from workbench.screening import ScreeningChoice
from workbench.service import CallOptions, Workbench

_EVENTS_AHEAD = 256
"""How far the model may run ahead of a slow reader, in events."""


@dataclass(frozen=True, slots=True)
class PromptEvent:
    """An event of the prompt with this number, counted from 0."""

    prompt: int
    event: ScreenedEvent


class Feed:
    """Iterates over the events of all streams; an async context manager that ends them.

    A stream is started, read and closed within one task, whoever reads the feed: time-outs and cancel scopes
    inside it stay whole. An error of one stream ends all and is raised to the reader. `headers` are what goes with
    the answer; they are known once the call was let in. `moderation` is what the guard said so far, `timing` how long
    each prompt took so far.
    """

    def __init__(
        self,
        streams: Sequence[AsyncGenerator[ScreenedEvent, None]],
        headers: Mapping[str, str] | None = None,
        moderation: ModerationReport | None = None,
        timing: TimingReport | None = None,
    ) -> None:
        self.headers = {} if headers is None else headers
        self.moderation = moderation or ModerationReport()
        self.timing = timing or TimingReport()
        self._events: asyncio.Queue[PromptEvent | BaseException | None] = asyncio.Queue(_EVENTS_AHEAD)
        self._streams = streams
        self._kept: deque[PromptEvent] = deque()
        self._open = len(streams)
        self._tasks: list[asyncio.Task[None]] = []

    async def _read(self, prompt: int, stream: AsyncGenerator[ScreenedEvent, None]) -> None:
        try:
            async with aclosing(stream):
                async for event in stream:
                    await self._events.put(PromptEvent(prompt, event))
        except Exception as failure:  # noqa: BLE001 - handed to the reader, who raises it
            await self._events.put(failure)
        else:
            await self._events.put(None)

    def __aiter__(self) -> Self:
        """The feed itself; reading begins with the first event asked for."""
        return self

    async def accepted(self) -> None:
        """Returns once every prompt has started; the events until then are kept. Raises: a refusal."""
        kept: deque[PromptEvent] = deque()
        unstarted = len(self._streams)
        while unstarted:
            item = await anext(self)
            kept.append(item)
            unstarted -= isinstance(item.event, Started)
        self._kept = kept

    async def __anext__(self) -> PromptEvent:
        """The next event of any stream. Raises: what a stream raised, StopAsyncIteration at the end of all."""
        if self._kept:
            return self._kept.popleft()
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._read(prompt, stream)) for prompt, stream in enumerate(self._streams)
            ]
        while self._open:
            item = await self._events.get()
            if isinstance(item, PromptEvent):
                if isinstance(item.event, Screened):
                    self.moderation.add(item.prompt, item.event)
                return item
            if item is not None:
                raise item
            self._open -= 1
        raise StopAsyncIteration

    async def completions(self) -> tuple[Completion, ...]:
        """What the streams add up to, in the prompts' order. Raises: what a stream raised."""
        builders = [CompletionBuilder() for _ in self._streams]
        async for item in self:
            if not isinstance(item.event, Screened):
                builders[item.prompt].add(item.event)
        return tuple(builder.completion() for builder in builders)

    def fail(self, failure: WorkbenchError) -> None:
        """Ends the streams that still run; the reader gets `failure` in place of what it has not read yet."""
        for task in self._tasks:
            task.cancel()
        while not self._events.empty():
            self._events.get_nowait()
        self._events.put_nowait(failure)

    async def close(self) -> None:
        """Ends the streams that still run and waits until they have."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def open_feed(
    workbench: Workbench,
    requests: Sequence[GenerationRequest],
    caller: Caller,
    request_id: str,
    screening: ScreeningChoice | None = None,
) -> Feed:
    """The feed of one call, a stream for each of its requests; nothing runs before it is read."""
    headers: dict[str, str] = {}
    moderation, timing = ModerationReport(), TimingReport()
    options = CallOptions(
        request_id=request_id,
        screening=screening,
        on_screen=moderation.screen,
        on_admit=lambda ticket: headers.update(ticket.headers),
        on_watch=timing.watch,
    )
    return Feed(workbench.streams(requests, caller, options), headers, moderation, timing)
