from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest

from evaluators.load.generator import NO_ANSWER_IN_TIME, LoadRun, closed_loop, open_loop
from evaluators.timing import Latency, Origin, RequestClass, RequestTiming, latencies_ms
from tests.evaluators.load.virtual_time import Server, run_virtual

Clock = Callable[[], float]
EVERY_SECOND = [float(i) for i in range(60)]


def stalling(index: int, now: float) -> float:
    """A server that answers in 0.1 s but stands still from 20 s to 40 s."""
    return 40.1 - now if 20.0 <= now < 40.0 else 0.1


def test_requests_leave_on_schedule_however_slow_the_answers_are() -> None:
    async def main(clock: Clock) -> LoadRun:
        server = Server(clock, lambda index, now: 30.0, places=100)
        return await open_loop(server.send, EVERY_SECOND, clock=clock)

    run = run_virtual(main)
    assert [t.sent for t in run.timings] == pytest.approx(EVERY_SECOND)
    assert [t.scheduled for t in run.timings] == pytest.approx(EVERY_SECOND)
    assert run.offered_rate == pytest.approx(60 / 59)
    assert run.origin is Origin.SCHEDULED


def test_coordinated_omission_is_avoided() -> None:
    """A stall of 20 s at one request a second must show in a third of the latencies.

    A closed loop of one worker meets the stall once and reports a p90 of 100 ms, as if nothing had been.
    """

    async def open_main(clock: Clock) -> LoadRun:
        return await open_loop(Server(clock, stalling).send, EVERY_SECOND, clock=clock)

    async def closed_main(clock: Clock) -> LoadRun:
        async def once_a_second(request_index: int) -> RequestTiming:
            timing = await server.send(request_index)
            await asyncio.sleep(max(0.0, 1.0 - (timing.end - timing.sent)))
            return timing

        server = Server(clock, stalling)
        return await closed_loop(once_a_second, 1, duration_s=60.0, clock=clock)

    honest = run_virtual(open_main)
    flattering = run_virtual(closed_main)
    honest_ms = latencies_ms(honest.timings, Latency.END_TO_END, honest.origin)
    flattering_ms = latencies_ms(flattering.timings, Latency.END_TO_END, flattering.origin)
    assert np.mean(honest_ms > 1000.0) == pytest.approx(1 / 3, abs=0.05)
    assert np.percentile(honest_ms, 90) > 10_000
    assert np.percentile(flattering_ms, 90) == pytest.approx(100.0)
    assert flattering_ms.max() > 15_000


def test_waiting_on_this_side_counts_from_the_schedule() -> None:
    async def main(clock: Clock) -> LoadRun:
        server = Server(clock, lambda index, now: 2.0, places=100)
        return await open_loop(server.send, [0.0, 0.0, 0.0], most_in_flight=1, clock=clock)

    run = run_virtual(main)
    assert latencies_ms(run.timings, Latency.END_TO_END, run.origin) == pytest.approx(
        [2000.0, 4000.0, 6000.0]
    )
    assert sorted(t.latency_ms(Latency.CLIENT_QUEUE) or 0.0 for t in run.timings) == pytest.approx(
        [0, 2000, 4000]
    )


def test_what_is_not_answered_in_time_is_a_failed_request() -> None:
    async def main(clock: Clock) -> LoadRun:
        server = Server(clock, lambda index, now: 1.0 if index == 0 else 1e6, places=9)
        return await open_loop(server.send, [0.0, 1.0], drain_s=5.0, clock=clock)

    done, late = run_virtual(main).timings
    assert done.outcome is RequestClass.OK
    assert (late.outcome, late.error) == (RequestClass.FAILED, NO_ANSWER_IN_TIME)
    assert (late.scheduled, late.end) == pytest.approx((1.0, 6.0))


def test_an_error_is_a_failed_request_without_its_text() -> None:
    async def send(request_index: int) -> RequestTiming:
        await asyncio.sleep(0.5)
        raise ConnectionError("canary-7c1f in the message")

    async def main(clock: Clock) -> LoadRun:
        return await open_loop(send, [0.0, 1.0], clock=clock)

    run = run_virtual(main)
    assert [t.error for t in run.timings] == ["ConnectionError"] * 2
    assert [t.sent for t in run.timings] == pytest.approx([0.0, 1.0])
    assert "canary" not in repr(run)


def test_a_sends_own_timeout_is_told_from_the_runs() -> None:
    async def send(request_index: int) -> RequestTiming:
        async with asyncio.timeout(1.0):
            await asyncio.sleep(10.0)
        raise AssertionError("unreachable")

    async def main(clock: Clock) -> LoadRun:
        return await open_loop(send, [0.0], drain_s=100.0, clock=clock)

    assert run_virtual(main).timings[0].error == "TimeoutError"


def test_warm_up_is_kept_apart() -> None:
    async def main(clock: Clock) -> LoadRun:
        server = Server(clock, lambda index, now: 0.1, places=9)
        return await open_loop(server.send, EVERY_SECOND, warmup=3, clock=clock)

    run = run_virtual(main)
    assert (len(run.warmup), len(run.timings)) == (3, 57)
    assert max(t.scheduled for t in run.warmup) < min(t.scheduled for t in run.timings)


def test_a_cancelled_run_keeps_what_was_done_and_stops_the_rest() -> None:
    async def main(clock: Clock) -> tuple[list[RequestTiming], int]:
        server = Server(clock, lambda index, now: 0.5 if index < 5 else 1e6, places=100)
        results: list[RequestTiming] = []
        task = asyncio.ensure_future(
            open_loop(server.send, EVERY_SECOND, clock=clock, on_result=results.append)
        )
        await asyncio.sleep(10.25)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return results, server.running

    results, still_running = run_virtual(main)
    assert len(results) == 5
    assert still_running == 0


def test_a_closed_loop_keeps_its_concurrency() -> None:
    async def main(clock: Clock) -> tuple[LoadRun, Server]:
        server = Server(clock, lambda index, now: 1.0 + index % 3, places=100)
        return await closed_loop(server.send, 4, requests=40, clock=clock), server

    run, server = run_virtual(main)
    assert len(run.timings) == 40
    assert sorted(server.seen) == list(range(40))
    assert server.most_running == 4
    assert run.offered_rate is None
    assert all(t.scheduled == t.sent for t in run.timings)


def test_a_closed_loop_ends_with_its_time() -> None:
    async def main(clock: Clock) -> LoadRun:
        return await closed_loop(
            Server(clock, lambda i, now: 1.0, places=2).send, 2, duration_s=10.0, clock=clock
        )

    run = run_virtual(main)
    assert len(run.timings) == 20
    assert max(t.sent for t in run.timings) < 10.0


async def test_real_time_is_kept_too() -> None:
    """On the real clock, due times are met late but never early."""

    async def send(request_index: int) -> RequestTiming:
        now = time.monotonic()
        return RequestTiming(now, now, now, RequestClass.OK)

    run = await open_loop(send, [0.0, 0.01, 0.02])
    assert all(t.sent >= t.scheduled for t in run.timings)
    assert [t.scheduled for t in run.timings] == sorted(t.scheduled for t in run.timings)


async def test_impossible_loads_are_refused() -> None:
    async def send(request_index: int) -> RequestTiming:
        raise AssertionError("nothing is sent")

    with pytest.raises(ValueError, match="nothing is due"):
        await open_loop(send, [])
    with pytest.raises(ValueError, match="closed loop"):
        await closed_loop(send, 0, requests=1)
    with pytest.raises(ValueError, match="closed loop"):
        await closed_loop(send, 1)
