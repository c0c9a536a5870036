"""How far a run is, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LOADING_SECONDS = 5.0
"""What a model takes to load, while nobody knows better."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done at this moment. `fraction` 0 to 1; `eta_seconds` is None until there is something to go by."""

    stage: str
    done: int
    total: int
    fraction: float
    eta_seconds: float | None


OnProgress = Callable[[Progress], None]


class Pacer:
    """Keeps count of items and of seconds that pass whatever is done, and reckons the rest from the pace so far."""

    def __init__(
        self,
        items: int,
        done: int,
        load_seconds: float,
        on_progress: OnProgress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._items = items
        self._done = done
        self._load_seconds = load_seconds
        self._on_progress = on_progress
        self._clock = clock
        self._asked = 0
        self._asking_seconds = 0.0
        self._since: float | None = None
        self._stage = "starting"

    def enter(self, stage: str, *, is_asking: bool = False) -> None:
        """A new stage; `is_asking` says that its time goes into items."""
        self._stop_clock()
        self._stage = stage
        self._since = self._clock() if is_asking else None
        self.tell()

    def item_done(self) -> None:
        """One item more."""
        self._done += 1
        self._asked += 1
        self.tell()

    def load_passed(self, seconds: float) -> None:
        """So much of the load tests' time is over."""
        self._load_seconds = max(0.0, self._load_seconds - seconds)
        self.tell()

    def tell(self) -> None:
        """Reports."""
        left = self._left_seconds()
        spent = self._spent()
        fraction = self._done / self._items if self._items else 0.0
        if left is not None and spent + left > 0:
            fraction = spent / (spent + left) if self._asked else fraction
        self._on_progress(Progress(self._stage, self._done, self._items, min(fraction, 1.0), left))

    def _spent(self) -> float:
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._asking_seconds + running

    def _left_seconds(self) -> float | None:
        remaining = self._items - self._done
        if remaining and not self._asked:
            return None
        pace = self._spent() / self._asked if self._asked else 0.0
        return remaining * pace + self._load_seconds

    def _stop_clock(self) -> None:
        self._asking_seconds = self._spent()
        self._since = None
