"""What a ramp shows: the rate at which requests stopped being good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from evaluators.load.generator import LoadRun
from evaluators.load.saturation import MINIMUM_REQUESTS, TARGET_SHARE, LevelState, LoadLevel, judge_level
from evaluators.speed import Limits
from evaluators.timing import Origin, RequestTiming

_PER_MINUTE = 60


def breaking_rate(
    timings: Sequence[RequestTiming],
    rate_at: Callable[[float], float],
    limits: Limits,
    *,
    window: int = MINIMUM_REQUESTS,
) -> float | None:
    """The rate, requests a second, when the first `window` requests in a row were due of which too few were good.

    `rate_at` gives the rate at a moment, in seconds since the first request was due. A request is good when it is OK
    and keeps all limits, latencies counted from the schedule; too few is a share below TARGET_SHARE. None where the
    ramp was kept up with to its end.
    """
    ordered = sorted(timings, key=lambda timing: timing.scheduled)
    good = [limits.are_met_by(timing, Origin.SCHEDULED) for timing in ordered]
    for first in range(len(ordered) - window + 1):
        if sum(good[first : first + window]) < TARGET_SHARE * window:
            # The window's last request was due at the highest rate it saw.
            return rate_at(ordered[first + window - 1].scheduled - ordered[0].scheduled)
    return None


def judge_ramp(
    run: LoadRun, first_rate: float, last_rate: float, duration_s: float, limits: Limits
) -> LoadLevel:
    """What an open-loop run at a rising rate (requests a second) shows: overloaded at a rate, or unclear.

    It never shows that a rate is sustained: each lasted a moment only.

    Raises: ValueError for a closed loop or a run without requests.
    """

    def rate_at(seconds: float) -> float:
        return first_rate + (last_rate - first_rate) * min(max(seconds / duration_s, 0.0), 1.0)

    level = judge_level(run, (first_rate + last_rate) / 2, limits)
    broke = breaking_rate(run.timings, rate_at, limits)
    if broke is None:
        reason = (
            f"kept up to {last_rate * _PER_MINUTE:.3g} a minute, for a moment: a level there would prove it"
        )
        return replace(level, offered_rate=last_rate, state=LevelState.UNCLEAR, reason=reason)
    reason = f"requests stopped being good at about {broke * _PER_MINUTE:.3g} a minute"
    return replace(level, offered_rate=broke, state=LevelState.OVERLOADED, reason=reason)
