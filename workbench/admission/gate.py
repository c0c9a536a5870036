"""The one gate before every model: page, API, comparisons, evaluations and load tests all pass it.

The rules are in `places`; here they meet the event loop. Everything runs on one loop, so that between two awaits
nothing else moves a place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workbench.admission.allowances import Allowances, TokensToday
from workbench.admission.headers import Allowance, rate_headers
from workbench.admission.pace import Pace
from workbench.admission.places import Call, Places, Rules
from workbench.core.caller import Caller
from workbench.core.chat import TrafficClass
from workbench.core.errors import RateLimited, Stopping

DEFAULT_PLACES = 4
"""A model's places while nobody knows what the engine can hold."""

BUSY = "Concurrent request limit reached, please try again later"


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where a waiting call stands: 1 is next. `wait_seconds` is what it may expect, from measured calls."""

    position: int
    wait_seconds: int


@dataclass(frozen=True, slots=True)
class GateLoad:
    """What the gate holds at this moment: calls let in, calls waiting, places (choices) in use."""

    running_calls: int
    waiting_calls: int
    places_in_use: int


class Ticket:
    """A call that was let in. `headers` go with the answer; `waited_seconds` is the time in the queue."""

    def __init__(
        self,
        call: Call,
        finish_choice: Callable[[Call], None],
        headers: Mapping[str, str],
        waited_seconds: float,
    ) -> None:
        self._call = call
        self._finish_choice = finish_choice
        self.headers = headers
        self.waited_seconds = waited_seconds

    @property
    def places(self) -> int:
        """How many of the call's choices should generate at once: at least 1; it may rise and fall.

        When it falls below what runs, a choice that ends is not followed by another. Any thread may read it.
        """
        return max(1, self._call.allowed)

    def finish_choice(self) -> None:
        """One choice ended: its place goes to the next inside this call, or to whoever waits for it outside."""
        self._finish_choice(self._call)


@dataclass(slots=True)
class _Waiter:
    let_in: asyncio.Future[None]
    on_wait: Callable[[QueuePosition], None] | None
    told: int = 0


async def _nothing_used(_caller: Caller) -> int:
    return 0


class Gate:
    """Lets calls in, makes them wait, or refuses them.

    `capacity` gives a model's places (choices the engine can hold at once), None while nobody knows; `spare` the
    places beyond them that only a person who holds none may take;
    `tokens_today` the tokens a caller used since midnight UTC; `queue_seconds` the longest wait.
    """

    def __init__(
        self,
        capacity: Callable[[str], int | None],
        rules: Rules | None = None,
        *,
        queue_seconds: float = 20.0,
        tokens_today: TokensToday = _nothing_used,
        spare: Callable[[str], int] = lambda _model: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._rules = rules or Rules()
        self._places = Places(self._places_of, self._rules, spare)
        self._allowances = Allowances(tokens_today)
        self._pace = Pace()
        self._queue_seconds = queue_seconds
        self._clock = clock
        self._waiters: dict[Call, _Waiter] = {}
        self._let_in_at: dict[Call, float] = {}
        self._stopped_for_seconds: float | None = None
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @asynccontextmanager
    async def admit(
        self,
        caller: Caller,
        model: str,
        *,
        choices: int = 1,
        traffic: TrafficClass = TrafficClass.INTERACTIVE,
        wait_seconds: float | None = None,
        on_wait: Callable[[QueuePosition], None] | None = None,
    ) -> AsyncIterator[Ticket]:
        """Holds the call's places for as long as the context is open.

        `wait_seconds` overrides the longest wait. `on_wait` is called from the event loop whenever the call's
        position in the queue changes.

        Raises: RateLimited when the queue is full, the wait too long, or the key's minute spent; QuotaExhausted
            when its day is; Stopping when the server is.
        """
        self.refuse_when_stopping()
        spent = await self._allowances.spend(caller)
        self.refuse_when_stopping()
        call = Call(caller.scope, model, choices, traffic, caller.limits.concurrency)
        arrived_at = self._clock()
        try:
            patience = self._queue_seconds if wait_seconds is None else wait_seconds
            await self._enter(call, patience, on_wait)
            waited = self._clock() - arrived_at
            headers = rate_headers((self._free_places(call), *spent))
            yield Ticket(call, self._finish_choice, headers, waited)
        finally:
            self._leave(call)

    def load(self) -> GateLoad:
        """What the gate holds at this moment."""
        return GateLoad(len(self._places.running), len(self._waiters), self._places.in_use)

    def stop(self, retry_after_seconds: float = 30.0) -> None:
        """Lets nobody in any more and refuses those who wait; who is in may finish."""
        self._stopped_for_seconds = retry_after_seconds
        for call in list(self._waiters):
            self._refuse(call, Stopping(retry_after_seconds=retry_after_seconds))

    @property
    def is_stopping(self) -> bool:
        """True once nobody is let in any more."""
        return self._stopped_for_seconds is not None

    async def drained(self, seconds: float) -> bool:
        """Waits for the last call to leave; False when some were still there after `seconds`."""
        try:
            await asyncio.wait_for(self._is_idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _places_of(self, model: str) -> int:
        known = self._capacity(model)
        return DEFAULT_PLACES if known is None else max(1, known)

    def refuse_when_stopping(self) -> None:
        """Raises: Stopping once the gate was stopped."""
        if self._stopped_for_seconds is not None:
            raise Stopping(retry_after_seconds=self._stopped_for_seconds)

    async def _enter(
        self, call: Call, patience: float, on_wait: Callable[[QueuePosition], None] | None
    ) -> None:
        loop = asyncio.get_running_loop()
        waiter = self._waiters[call] = _Waiter(loop.create_future(), on_wait)
        self._is_idle.clear()
        refused = self._places.arrive(call)
        if refused is not None:
            self._refuse(refused, self._busy(refused))
        self._tell()
        timer = loop.call_later(patience, lambda: self._refuse(call, self._busy(call)))
        try:
            await waiter.let_in
        finally:
            timer.cancel()

    def _finish_choice(self, call: Call) -> None:
        self._places.finish_choice(call)
        self._tell()

    def _leave(self, call: Call) -> None:
        let_in_at = self._let_in_at.pop(call, None)
        if let_in_at is not None:
            self._pace.note(call.model, self._clock() - let_in_at)
        self._waiters.pop(call, None)
        self._places.leave(call)
        self._tell()
        if not self._places.running and not self._waiters:
            self._is_idle.set()

    def _refuse(self, call: Call, refusal: RateLimited | Stopping) -> None:
        waiter = self._waiters.pop(call, None)
        if waiter is None:
            return
        self._places.leave(call)
        if not waiter.let_in.done():
            waiter.let_in.set_exception(refusal)
        self._tell()

    def _tell(self) -> None:
        """Wakes who was let in, and tells those who wait where they stand."""
        for call in [call for call in self._waiters if self._places.is_running(call)]:
            waiter = self._waiters.pop(call)
            self._let_in_at[call] = self._clock()
            if not waiter.let_in.done():
                waiter.let_in.set_result(None)
        for position, call in enumerate(self._places.queue(), start=1):
            waiter = self._waiters[call]
            if waiter.on_wait is not None and waiter.told != position:
                waiter.told = position
                expected = QueuePosition(position, self._wait_seconds(call, position))
                asyncio.get_running_loop().call_soon(waiter.on_wait, expected)

    def _wait_seconds(self, call: Call, position: int) -> int:
        now = self._clock()
        running_for = [now - since for other, since in self._let_in_at.items() if other.model == call.model]
        return self._pace.wait_seconds(
            call.model, position=position, places=self._limit(call), running_for=running_for
        )

    def _limit(self, call: Call) -> int:
        """The most places the call's scope could hold."""
        bounds = (self._places_of(call.model), self._rules.total, call.own_limit)
        return min(bound for bound in bounds if bound is not None)

    def _free_places(self, call: Call) -> Allowance:
        room = self._places.room(call)
        reset_seconds = 0 if room > 0 else self._wait_seconds(call, position=1)
        return Allowance("requests", self._limit(call), room, reset_seconds)

    def _busy(self, call: Call) -> RateLimited:
        queue = self._places.queue()
        position = queue.index(call) + 1 if call in queue else len(queue) + 1
        wait = self._wait_seconds(call, position)
        return RateLimited(
            BUSY,
            retry_after_seconds=wait,
            headers=rate_headers([Allowance("requests", self._limit(call), 0, wait)]),
        )
