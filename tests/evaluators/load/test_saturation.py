from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evaluators.load.generator import LoadRun
from evaluators.load.saturation import (
    LevelState,
    LoadLevel,
    backlog,
    climb,
    is_growing,
    judge_level,
    saturation,
    sweep,
)
from evaluators.speed import Limits
from evaluators.timing import Origin, RequestClass, RequestTiming
from tests.evaluators.load.virtual_time import Server, run_virtual


def queue(requests: int, load: float, places: int, rng: np.random.Generator) -> list[RequestTiming]:
    """Poisson arrivals at 1 a second into a queue with `places` servers kept busy to the share `load`."""
    free = np.zeros(places)
    timings = []
    for due in np.cumsum(rng.exponential(1.0, size=requests)):
        first = int(free.argmin())
        free[first] = max(due, free[first]) + rng.gamma(4.0, load * places / 4)
        timings.append(RequestTiming(due, due, free[first], RequestClass.OK))
    return timings


def run_of(timings: list[RequestTiming]) -> LoadRun:
    return LoadRun(tuple(timings), (), Origin.SCHEDULED, 1.0)


def test_backlog_counts_what_is_unanswered_when_a_request_is_due() -> None:
    spans = [(0.0, 10.0), (1.0, 2.0), (3.0, 4.0), (3.5, 9.0), (9.5, 9.6)]
    timings = [RequestTiming(start, start, end, RequestClass.OK) for start, end in spans]
    assert backlog(timings).tolist() == [0, 1, 1, 2, 1]


@pytest.mark.parametrize("places", [1, 4])
def test_a_queue_that_keeps_up_does_not_grow(places: int) -> None:
    rng = np.random.default_rng(1)
    assert np.mean([is_growing(queue(200, 0.6, places, rng)) for _ in range(200)]) < 0.03


@pytest.mark.parametrize("places", [1, 4])
def test_a_queue_that_falls_behind_grows(places: int) -> None:
    rng = np.random.default_rng(2)
    assert np.mean([is_growing(queue(200, 1.5, places, rng)) for _ in range(100)]) > 0.95


def test_a_level_within_its_limits_is_sustained() -> None:
    level = judge_level(
        run_of(queue(200, 0.3, 4, np.random.default_rng(3))), 1.0, Limits(end_to_end_ms=10_000)
    )
    assert level.state is LevelState.SUSTAINED
    assert level.good_share.value > 0.95
    assert level.goodput == pytest.approx(1.0, rel=0.2)


def test_a_level_that_breaks_its_limits_is_overloaded_without_any_backlog() -> None:
    level = judge_level(run_of(queue(200, 0.3, 4, np.random.default_rng(3))), 1.0, Limits(end_to_end_ms=100))
    assert level.state is LevelState.OVERLOADED


def test_refused_requests_overload_a_level_however_fast_they_are_refused() -> None:
    timings = [
        replace(t, outcome=RequestClass.FAILED, end=t.sent + 0.001, error="rate_limit_exceeded")
        if i % 2
        else t
        for i, t in enumerate(queue(100, 0.2, 4, np.random.default_rng(4)))
    ]
    level = judge_level(run_of(timings), 1.0, Limits())
    assert level.state is LevelState.OVERLOADED
    assert "50 failed" in level.reason


def test_few_requests_are_unclear_not_sustained() -> None:
    level = judge_level(run_of(queue(10, 0.1, 4, np.random.default_rng(5))), 1.0, Limits())
    assert level.state is LevelState.UNCLEAR


def test_a_level_as_short_as_its_answers_is_unclear() -> None:
    """A hundred requests in a second that all take a minute never had the time to queue."""
    timings = [RequestTiming(i / 100, i / 100, 60 + i / 100, RequestClass.OK) for i in range(100)]
    level = judge_level(run_of(timings), 100.0, Limits())
    assert level.state is LevelState.UNCLEAR
    assert "longer" in level.reason


def test_a_share_just_below_the_target_is_unclear() -> None:
    timings = queue(40, 0.1, 8, np.random.default_rng(6))
    timings[3:6] = [replace(t, outcome=RequestClass.TRUNCATED) for t in timings[3:6]]
    assert judge_level(run_of(timings), 1.0, Limits()).state is LevelState.UNCLEAR


def test_a_closed_loop_is_not_judged() -> None:
    run = replace(run_of(queue(40, 0.1, 8, np.random.default_rng(7))), origin=Origin.SENT)
    with pytest.raises(ValueError, match="closed loop"):
        judge_level(run, 1.0, Limits())


def test_the_sweep_brackets_a_known_capacity() -> None:
    """Four places of one second each sustain at most 4 requests a second."""

    async def main(clock: Callable[[], float]) -> tuple[tuple[LoadLevel, ...], list[int]]:
        server = Server(clock, lambda index, now: 1.0, places=4)
        levels = await sweep(
            server.send,
            [1.0, 2.0, 8.0, 16.0],
            120.0,
            limits=Limits(end_to_end_ms=6000),
            refinements=3,
            clock=clock,
        )
        return levels, server.seen

    levels, seen = run_virtual(main)
    point = saturation(levels)
    assert point.sustained is not None
    assert point.overloaded is not None
    assert 2.5 < point.sustained < 4.0 <= point.overloaded < 5.5
    assert [level.offered_rate for level in levels] == sorted(level.offered_rate for level in levels)
    assert max(level.offered_rate for level in levels) == 8.0
    assert seen == list(range(len(seen)))


def test_a_sweep_that_never_overloads_has_no_upper_end() -> None:
    async def main(clock: Callable[[], float]) -> tuple[LoadLevel, ...]:
        server = Server(clock, lambda index, now: 0.01, places=4)
        return await sweep(server.send, [1.0, 2.0], 60.0, limits=Limits(), clock=clock)

    point = saturation(run_virtual(main))
    assert (point.sustained, point.overloaded) == (2.0, None)


def test_a_sustained_level_above_an_overloaded_one_does_not_count() -> None:
    good = judge_level(run_of(queue(200, 0.3, 4, np.random.default_rng(3))), 1.0, Limits())
    levels = [
        replace(good, offered_rate=1.0),
        replace(good, offered_rate=2.0, state=LevelState.OVERLOADED),
        replace(good, offered_rate=3.0),
    ]
    assert saturation(levels).sustained == 1.0


async def test_a_sweep_with_too_short_levels_is_refused() -> None:
    async def send(request_index: int) -> RequestTiming:
        raise AssertionError("nothing is sent")

    with pytest.raises(ValueError, match="20 requests"):
        await sweep(send, [0.1], 60.0, limits=Limits())


async def test_a_climb_goes_down_where_even_the_lowest_rate_is_too_much() -> None:
    good = judge_level(run_of(queue(200, 0.3, 4, np.random.default_rng(3))), 1.0, Limits())
    asked: list[float] = []

    async def measure(rate: float) -> LoadLevel:
        asked.append(rate)
        state = LevelState.OVERLOADED if rate > 3 else LevelState.SUSTAINED
        return replace(good, offered_rate=rate, state=state)

    point = saturation(await climb(measure, [8.0, 16.0], refinements=3))
    assert asked == [8.0, 4.0, 2.0, pytest.approx(8**0.5)]
    assert point.sustained == pytest.approx(8**0.5)
    assert point.overloaded == 4.0
    asked.clear()
    await climb(measure, [8.0], refinements=3, least_rate=5.0)
    assert asked == [8.0]
