"""How long a place is held, measured, and what follows for those who wait."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence

SHORTEST_SECONDS = 1
LONGEST_SECONDS = 120
"""Clients of OpenAI's SDKs do not retry at all when Retry-After is longer."""

_REMEMBERED_CALLS = 32


class Pace:
    """The last calls' durations, by model."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED_CALLS))

    def note(self, model: str, seconds: float) -> None:
        """A call held its places for this long."""
        self._seconds[model].append(seconds)

    def wait_seconds(self, model: str, *, position: int, places: int, running_for: Sequence[float]) -> int:
        """When the caller at `position` of the queue (from 1) may expect a place: whole seconds, 1 to 120.

        With `places` calls at a time, each lasting the mean of the last ones, one leaves every mean / places
        seconds. Until a call has ended, what runs (`running_for`, seconds each) is taken to be half way.
        """
        ended = self._seconds.get(model)
        if ended:
            mean = sum(ended) / len(ended)
        elif running_for:
            mean = 2 * sum(running_for) / len(running_for)
        else:
            mean = 0.0
        return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, math.ceil(mean * position / max(1, places))))
