"""A ramp shows where requests stop being good, and never that a rate is sustained."""

from __future__ import annotations

from collections.abc import Callable

from evaluators.load import LevelState, LoadRun, arrival_times, judge_ramp, open_loop, ramp
from evaluators.speed import Limits
from tests.evaluators.load.virtual_time import Server, run_virtual

LIMITS = Limits(end_to_end_ms=3000)


def ramped(places: int, last_rate: float) -> LoadRun:
    """A ramp from 1 request a second in ten minutes, into `places` places of one second each."""

    async def main(clock: Callable[[], float]) -> LoadRun:
        server = Server(clock, lambda index, now: 1.0, places=places)
        due = arrival_times(ramp(1.0, last_rate, 600.0), seed=1).tolist()
        return await open_loop(server.send, due, duration_s=600.0, drain_s=600.0, clock=clock)

    return run_virtual(main)


def test_a_ramp_through_the_capacity_breaks_near_it() -> None:
    level = judge_ramp(ramped(places=4, last_rate=8.0), 1.0, 8.0, 600.0, LIMITS)
    assert level.state is LevelState.OVERLOADED
    assert 3.4 < level.offered_rate < 5.0
    assert "a minute" in level.reason


def test_a_ramp_that_was_kept_up_with_proves_nothing() -> None:
    level = judge_ramp(ramped(places=40, last_rate=8.0), 1.0, 8.0, 600.0, LIMITS)
    assert level.state is LevelState.UNCLEAR
    assert level.offered_rate == 8.0
