"""Sends requests: on schedule whatever the answers do (open loop), or one after another (closed loop)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from evaluators.timing import Origin, RequestClass, RequestTiming

Clock = Callable[[], float]
OnResult = Callable[[RequestTiming], None]

NO_ANSWER_IN_TIME = "no_answer_in_time"


class Send(Protocol):
    """Sends one request and gives its event times, on the generator's clock."""

    async def __call__(self, request_index: int) -> RequestTiming:
        """The finished request. An error it raises makes a failed one; its text is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A finished run. Warm-up requests are kept apart and shown, never counted."""

    timings: tuple[RequestTiming, ...]
    """In the order they were due."""
    warmup: tuple[RequestTiming, ...]
    origin: Origin
    """Where this run's latencies begin."""
    offered_rate: float | None
    """Requests a second that were due; None in a closed loop, which offers only what was answered."""


async def open_loop(
    send: Send,
    due_s: Sequence[float],
    *,
    duration_s: float | None = None,
    warmup: int = 0,
    drain_s: float = 60.0,
    most_in_flight: int | None = None,
    clock: Clock = time.monotonic,
    on_result: OnResult | None = None,
) -> LoadRun:
    """Sends request i at `due_s[i]` seconds, however slow the earlier ones are.

    `due_s` ascends. `drain_s` after the last one was due, what is unanswered fails with NO_ANSWER_IN_TIME.
    Beyond `most_in_flight` requests wait on this side, and that wait counts: latencies begin at the schedule.
    `on_result` gets every request when it ends, so that a cancelled run keeps what was done.

    Raises: ValueError when nothing is due.
    """
    if len(due_s) == 0:
        raise ValueError("nothing is due")
    start = clock()
    length = duration_s if duration_s is not None else float(due_s[-1])
    one = _Sender(send, clock, start + max(length, float(due_s[-1])) + drain_s, most_in_flight, on_result)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for index, due in enumerate(due_s):
            scheduled = start + float(due)
            await asyncio.sleep(max(0.0, scheduled - clock()))
            tasks.append(group.create_task(one(index, scheduled)))
    timings = tuple(task.result() for task in tasks)
    rate = len(due_s) / length if length > 0 else None
    return LoadRun(timings[warmup:], timings[:warmup], Origin.SCHEDULED, rate)


async def closed_loop(
    send: Send,
    concurrency: int,
    *,
    requests: int | None = None,
    duration_s: float | None = None,
    warmup: int = 0,
    drain_s: float = 60.0,
    clock: Clock = time.monotonic,
    on_result: OnResult | None = None,
) -> LoadRun:
    """Keeps `concurrency` requests going, each worker sending its next when its last has ended.

    It ends after `requests`, or sends no more after `duration_s`. A slow answer delays the next request, so
    that slowness hides itself (coordinated omission): use it for throughput, and an open loop for latency.

    Raises: ValueError for a concurrency below 1 or without an end.
    """
    if concurrency < 1 or (requests is None and duration_s is None):
        raise ValueError("a closed loop needs a concurrency of at least 1, and requests or a duration")
    start = clock()
    last_send = start + duration_s if duration_s is not None else math.inf
    one = _Sender(send, clock, last_send + drain_s, None, on_result)
    numbers = count()
    done: dict[int, RequestTiming] = {}

    async def work() -> None:
        while clock() < last_send:
            index = next(numbers)
            if requests is not None and index >= requests:
                return
            done[index] = await one(index, None)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    timings = tuple(done[index] for index in sorted(done))
    return LoadRun(timings[warmup:], timings[:warmup], Origin.SENT, None)


class _Sender:
    """Sends one request and turns every ending into a RequestTiming."""

    def __init__(
        self,
        send: Send,
        clock: Clock,
        deadline: float,
        most_in_flight: int | None,
        on_result: OnResult | None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._deadline = deadline
        self._places = None if most_in_flight is None else asyncio.Semaphore(most_in_flight)
        self._on_result = on_result

    async def __call__(self, index: int, scheduled: float | None) -> RequestTiming:
        """The request's times, with `scheduled` put in (its sending where None)."""
        timing = await self._attempt(index)
        # A timer may wake a clock tick early, and a request is never sent before it was due.
        due = timing.sent if scheduled is None else min(scheduled, timing.sent)
        timing = replace(timing, scheduled=due)
        if self._on_result is not None:
            self._on_result(timing)
        return timing

    async def _attempt(self, index: int) -> RequestTiming:
        sent: float | None = None
        timeout = asyncio.timeout(None if math.isinf(self._deadline) else self._deadline - self._clock())
        try:
            async with timeout, AsyncExitStack() as stack:
                if self._places is not None:
                    await stack.enter_async_context(self._places)
                sent = self._clock()
                return await self._send(index)
        except Exception as error:  # noqa: BLE001 - whatever went wrong with one request is a row of the result
            ran_out = isinstance(error, TimeoutError) and timeout.expired()
            code = NO_ANSWER_IN_TIME if ran_out else type(error).__name__
            now = self._clock()
            begun = now if sent is None else sent
            return RequestTiming(begun, begun, now, RequestClass.FAILED, error=code)
