"""Where a system stops keeping up: load levels judged one by one, and the point between them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluators.load.arrivals import Spacing, arrival_times, constant
from evaluators.load.generator import Clock, LoadRun, Send, open_loop
from evaluators.speed import Limits, goodput, run_span
from evaluators.stats import Estimate, wilson
from evaluators.stats.estimate import FloatArray, two_sided_z
from evaluators.timing import Origin, RequestClass, RequestTiming

TARGET_SHARE = 0.95
"""A level is sustained when at least this share of its requests is good."""
MINIMUM_REQUESTS = 20
_ANSWERS_LONG = 3
_TREND_LEVEL = 0.99
_GROWTH = 1.0
"""A backlog that grows by its own mean over the run is no chance wave."""


class LevelState(StrEnum):
    """What a level shows."""

    SUSTAINED = "sustained"
    OVERLOADED = "overloaded"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """One offered rate (requests a second) and what came of it."""

    offered_rate: float
    state: LevelState
    reason: str
    good_share: Estimate
    """Requests that were OK and kept all limits, latencies counted from the schedule."""
    goodput: float
    """Good requests a second over the wall time."""
    run: LoadRun


@dataclass(frozen=True, slots=True)
class Saturation:
    """The point of saturation lies above `sustained` and at or below `overloaded`, requests a second."""

    sustained: float | None
    """The highest rate that was sustained, all measured rates below it not overloaded; None where there was none."""
    overloaded: float | None
    """The lowest rate that was overloaded; None where the load was never too high."""


def backlog(timings: Sequence[RequestTiming]) -> FloatArray:
    """How many earlier requests were still unanswered when each one was due, in order of schedule."""
    due = np.sort([t.scheduled for t in timings])
    ends = np.sort([t.end for t in timings])
    # Those that ended at or before a moment were also due before it.
    unanswered = np.arange(due.size) - np.searchsorted(ends, due, side="right")
    return unanswered.astype(np.float64)


def is_growing(timings: Sequence[RequestTiming]) -> bool:
    """Whether requests pile up: backlog and waiting time both rise significantly, and by as much as their mean.

    The slopes' own errors are widened for values that follow each other closely (first-order
    autocorrelation), as in a queue they do; an unwidened test would call every passing wave an overload.
    """
    ordered = sorted(timings, key=lambda t: t.scheduled)
    if len(ordered) < MINIMUM_REQUESTS:
        return False
    due = np.array([t.scheduled for t in ordered])
    waits = np.array([t.end - t.scheduled for t in ordered])
    return _rises(due, backlog(ordered)) and _rises(due, waits)


def _rises(times: FloatArray, values: FloatArray) -> bool:
    centred = times - times.mean()
    power = float(centred @ centred)
    if power == 0.0:
        return False
    slope = float(centred @ values) / power
    residuals = values - values.mean() - slope * centred
    noise = float(residuals @ residuals)
    if slope <= 0 or slope * (times[-1] - times[0]) < _GROWTH * abs(float(values.mean())):
        return False
    if noise == 0.0:
        return True
    correlation = min(max(float(residuals[1:] @ residuals[:-1]) / noise, 0.0), 0.95)
    inflation = (1 + correlation) / (1 - correlation)
    error = np.sqrt(noise / (values.size - 2) / power * inflation)
    return bool(slope > two_sided_z(_TREND_LEVEL) * error)


def judge_level(
    run: LoadRun, rate: float, limits: Limits, *, target_share: float = TARGET_SHARE
) -> LoadLevel:
    """What an open-loop run at a constant rate (requests a second) shows.

    Raises: ValueError for a closed loop or a run without requests.
    """
    if run.origin is not Origin.SCHEDULED:
        raise ValueError("a closed loop offers no rate to be judged")
    timings, count = run.timings, len(run.timings)
    good = sum(limits.are_met_by(t, run.origin) for t in timings)
    good_rate = goodput(timings, limits, run_span(timings), run.origin)
    interval = wilson(good, count)
    failed = sum(t.outcome is RequestClass.FAILED for t in timings)
    detail = f"{good} of {count} requests were good" + (f", {failed} failed" if failed else "")
    if is_growing(timings):
        state, reason = LevelState.OVERLOADED, f"requests pile up; {detail}"
    elif interval.high < target_share:
        state, reason = LevelState.OVERLOADED, detail
    elif count < MINIMUM_REQUESTS:
        state, reason = LevelState.UNCLEAR, f"{detail}; fewer than {MINIMUM_REQUESTS} tell too little"
    elif _is_too_short(timings):
        state, reason = (
            LevelState.UNCLEAR,
            f"{detail}; the level must last longer than {_ANSWERS_LONG} answers take",
        )
    elif good >= target_share * count:
        state, reason = LevelState.SUSTAINED, detail
    else:
        state, reason = LevelState.UNCLEAR, f"{detail}; too few to tell from {target_share:.0%}"
    return LoadLevel(rate, state, reason, Estimate(good / count, interval, count, count), good_rate, run)


def _is_too_short(timings: Sequence[RequestTiming]) -> bool:
    """Whether the level ended before a queue could show: it lasted only a few answers' time."""
    due = [t.scheduled for t in timings]
    typical = float(np.median([t.end - t.sent for t in timings]))
    return max(due) - min(due) < _ANSWERS_LONG * typical


def saturation(levels: Sequence[LoadLevel]) -> Saturation:
    """The bracket around the saturation point; a sustained level above an overloaded one does not count."""
    overloaded = min((x.offered_rate for x in levels if x.state is LevelState.OVERLOADED), default=None)
    sustained = [
        level.offered_rate
        for level in levels
        if level.state is LevelState.SUSTAINED and (overloaded is None or level.offered_rate < overloaded)
    ]
    return Saturation(max(sustained, default=None), overloaded)


async def climb(
    measure: Callable[[float], Awaitable[LoadLevel]],
    rates: Sequence[float],
    *,
    refinements: int = 2,
    least_rate: float = 0.0,
) -> tuple[LoadLevel, ...]:
    """Measures the rates in ascending order until one is overloaded, then narrows the bracket `refinements` times.

    Where a sustained rate is known the next one is the bracket's geometric middle; where even the lowest was too
    much, half of it, but never below `least_rate`. Ascending by rate.
    """
    levels: list[LoadLevel] = []
    for rate in sorted(rates):
        levels.append(await measure(rate))
        if levels[-1].state is LevelState.OVERLOADED:
            break
    for _ in range(refinements):
        bracket = saturation(levels)
        if bracket.overloaded is None:
            break
        low = bracket.sustained
        rate = bracket.overloaded / 2 if low is None else (low * bracket.overloaded) ** 0.5
        if rate < least_rate:
            break
        levels.append(await measure(rate))
    return tuple(sorted(levels, key=lambda level: level.offered_rate))


async def sweep(
    send: Send,
    rates: Sequence[float],
    duration_s: float,
    *,
    limits: Limits,
    refinements: int = 2,
    spacing: Spacing = Spacing.POISSON,
    seed: int = 0,
    drain_s: float = 60.0,
    clock: Clock = time.monotonic,
) -> tuple[LoadLevel, ...]:
    """Climbs the rates, each for `duration_s`, and narrows the point of saturation.

    Every level waits for its last answers, so that it inherits no backlog.

    Raises: ValueError without rates, or when a level would have fewer than MINIMUM_REQUESTS requests.
    """
    if not rates or min(rates) * duration_s < MINIMUM_REQUESTS:
        raise ValueError(f"every level of a sweep needs time for {MINIMUM_REQUESTS} requests")
    measured = sent = 0

    async def measure(rate: float) -> LoadLevel:
        nonlocal measured, sent
        due = arrival_times(constant(rate, duration_s), spacing, seed=seed + measured)
        first = sent
        measured, sent = measured + 1, sent + len(due)

        async def send_next(request_index: int) -> RequestTiming:
            return await send(first + request_index)

        run = await open_loop(send_next, due.tolist(), duration_s=duration_s, drain_s=drain_s, clock=clock)
        return judge_level(run, rate, limits)

    return await climb(measure, rates, refinements=refinements, least_rate=MINIMUM_REQUESTS / duration_s)
