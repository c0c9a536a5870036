"""An event loop whose clock jumps to the next timer, so that minutes of load pass in milliseconds, repeatably."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from evaluators.timing import RequestClass, RequestTiming

Result = TypeVar("Result")


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is not None:
            self.now += max(timeout, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands still while code runs."""

    def __init__(self) -> None:
        self.virtual = _JumpingSelector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now


def run_virtual(main: Callable[[Callable[[], float]], Coroutine[Any, Any, Result]]) -> Result:
    """The result of `main(clock)` in virtual time that begins at 0."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop.time))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class Server:
    """Answers `places` requests at a time, each in `service_s(request index, time)` seconds; the rest wait in line."""

    def __init__(
        self, clock: Callable[[], float], service_s: Callable[[int, float], float], places: int = 1
    ) -> None:
        self.clock = clock
        self.service_s = service_s
        self.places = asyncio.Semaphore(places)
        self.seen: list[int] = []
        self.running = 0
        self.most_running = 0

    async def send(self, request_index: int) -> RequestTiming:
        sent = self.clock()
        self.seen.append(request_index)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            async with self.places:
                admitted = self.clock()
                await asyncio.sleep(self.service_s(request_index, admitted))
        finally:
            self.running -= 1
        end = self.clock()
        return RequestTiming(
            sent,
            sent,
            end,
            RequestClass.OK,
            admitted=admitted,
            first_token=end,
            token_times=(end,),
            output_tokens=1,
        )
