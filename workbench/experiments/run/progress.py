"""How far a run is, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

GUESSED_ITEM_SECONDS = 0.25
FIRST_GUESS_ITEMS = 10
"""How many items must be done before the pace is worth a guess."""


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
        self._loaded_seconds = 0.0
        self._loads_ended_seconds = 0.0
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
        """So much of the running load test's time is over."""
        self._loaded_seconds = min(self._load_seconds, self._loads_ended_seconds + seconds)
        self.tell()

    def load_ended(self, seconds: float) -> None:
        """The running load test, of this length, is over."""
        self.load_passed(seconds)
        self._loads_ended_seconds = self._loaded_seconds

    def tell(self) -> None:
        """Reports. Until some items are done the share of the load tests is a guess."""
        is_known = self._asked >= FIRST_GUESS_ITEMS
        pace = self._spent() / self._asked if is_known else GUESSED_ITEM_SECONDS
        whole = self._items * pace + self._load_seconds
        done = self._done * pace + self._loaded_seconds
        eta = whole - done if is_known or self._done == self._items else None
        fraction = done / whole if whole > 0 else 1.0
        self._on_progress(Progress(self._stage, self._done, self._items, fraction, eta))

    def _spent(self) -> float:
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._asking_seconds + running

    def _stop_clock(self) -> None:
        self._asking_seconds = self._spent()
        self._since = None
