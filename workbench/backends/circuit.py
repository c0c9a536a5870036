"""A circuit breaker: an endpoint that keeps failing is left alone for a while, then tried by a single request.

The pattern is Nygard's ("Release It!", 2007): closed, open after failures in a row, half-open while one tries.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from workbench.core.errors import Unavailable

FAILURES_TO_OPEN = 5
FIRST_REST_SECONDS = 10.0
LONGEST_REST_SECONDS = 120.0


class Circuit:
    """Counts failures in a row. All calls come from one event loop; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_seconds = FIRST_REST_SECONDS
        self._opens_until: float | None = None
        self._is_tried = False

    def enter(self) -> None:
        """Lets a request through, to be ended by one of the three below.

        Raises: Unavailable, with the seconds to wait, while the endpoint rests or another request tries it.
        """
        if self._opens_until is None:
            return
        left = self._opens_until - self._clock()
        if left > 0 or self._is_tried:
            raise Unavailable(
                "The remote endpoint has failed several times in a row and is left alone. Try again later.",
                retry_after_seconds=max(round(left, 1), 1.0),
            )
        self._is_tried = True

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures, self._opens_until, self._is_tried = 0, None, False
        self._rest_seconds = FIRST_REST_SECONDS

    def failed(self) -> None:
        """It did not, through its own fault; a trial that fails makes the rest twice as long."""
        self._failures += 1
        if self._is_tried:
            self._rest_seconds = min(self._rest_seconds * 2, LONGEST_REST_SECONDS)
        if self._is_tried or self._failures >= FAILURES_TO_OPEN:
            self._opens_until = self._clock() + self._rest_seconds
        self._is_tried = False

    def left(self) -> None:
        """The caller went away first, which says nothing; the next request may try."""
        self._is_tried = False
