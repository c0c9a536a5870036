"""Server and client side by side: the same requests by both clocks, joined request by request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.speed import Distribution, distribution
from evaluators.timing import MS_PER_S, RequestClass, RequestTiming, Side
from workbench.core.call_times import CallTimes

Part = Callable[[CallTimes], float | None]


@dataclass(frozen=True, slots=True)
class Joined:
    """One latency of the requests that both sides timed, from their sending, in milliseconds.

    `difference` is client minus server of each request: the way between the two, never the difference of two
    percentiles.
    """

    server: Distribution
    client: Distribution
    difference: Distribution


@dataclass(frozen=True, slots=True)
class TwoSides:
    """What both sides say of a run's OK requests. `queue` and `prefill` are the server's alone."""

    requests: int
    queue: Distribution
    prefill: Distribution
    ttft: Joined
    tpot: Joined
    end_to_end: Joined


def two_sides(timings: Sequence[RequestTiming]) -> TwoSides | None:
    """Both sides of the OK requests that both of them timed; None where there is no such request."""
    pairs: list[tuple[CallTimes, CallTimes]] = []
    for timing in timings:
        server, client = timing.by(Side.SERVER), timing.by(Side.CLIENT)
        if timing.outcome is RequestClass.OK and server is not None and client is not None:
            pairs.append((server, client))
    if not pairs:
        return None
    servers = [server for server, _ in pairs]
    return TwoSides(
        len(pairs),
        _spread([times.queue_seconds for times in servers]),
        _spread([times.prefill_seconds for times in servers]),
        _joined(pairs, lambda times: times.ttft_seconds),
        _joined(pairs, lambda times: times.tpot_seconds),
        _joined(pairs, lambda times: times.end_to_end_seconds),
    )


def _joined(pairs: Sequence[tuple[CallTimes, CallTimes]], part: Part) -> Joined:
    both = [(part(server), part(client)) for server, client in pairs]
    known = [(s, c) for s, c in both if s is not None and c is not None]
    return Joined(
        _spread([s for s, _ in known]), _spread([c for _, c in known]), _spread([c - s for s, c in known])
    )


def _spread(seconds: Sequence[float | None]) -> Distribution:
    return distribution(np.array([value * MS_PER_S for value in seconds if value is not None]))
