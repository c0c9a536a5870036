"""Who generates, who waits and who is next: the gate's rules, without clocks, tasks or events.

A *place* is one choice generating. A call of k choices holds 1 to k of them; its other choices wait inside it.

- A place goes to the class of traffic that matters most (people, then batch work, then load tests); within a
  class to the scope that holds the fewest; between equals to the scope whose turn is longest ago (a new scope
  lines up last). A scope that holds nothing therefore waits for each other scope of its class once at the most.
- What nobody waits for goes to calls whose other choices wait inside, so that one scope may use everything. As
  soon as somebody waits for them, extra places are handed over when a choice ends.
- Load tests leave `load_reserve` places of each model free, so that a person never meets a full house of them.
- The queue is bounded. When it overflows, the newest call of the scope with the most waiting calls of the least
  important class is refused: neither a load test nor one busy key can fill it against others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workbench.core.chat import TrafficClass

_RANK = {TrafficClass.INTERACTIVE: 0, TrafficClass.BATCH: 1, TrafficClass.LOAD: 2}


@dataclass(slots=True, eq=False)
class Call:
    """One call at the gate. `own_limit` is how many places its scope may hold, None for no limit of its own.

    `held` places are counted against every limit; `allowed` (never more) is how many it should go on using.
    """

    scope: str
    model: str
    choices: int
    traffic: TrafficClass = TrafficClass.INTERACTIVE
    own_limit: int | None = None
    held: int = field(default=0, init=False)
    allowed: int = field(default=0, init=False)
    unfinished: int = field(init=False)
    number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """All choices are still to be generated."""
        if self.choices < 1:
            raise ValueError("a call has at least one choice")
        self.unfinished = self.choices


@dataclass(frozen=True, slots=True)
class Rules:
    """The gate's bounds.

    `total` places over all models (None: only each model's own), `queue_size` calls that may wait, `load_reserve`
    places a model keeps free of load tests.
    """

    total: int | None = None
    queue_size: int = 32
    load_reserve: int = 1


def _none_spare(_model: str) -> int:
    return 0


class Places:
    """The places of every model, and the calls that hold or want them.

    `capacity` gives a model's places, at least 1, and may change between calls; `spare` its places beyond them,
    which only a person who holds no place may take: whoever fills all the others does not make them wait.
    """

    def __init__(
        self, capacity: Callable[[str], int], rules: Rules, spare: Callable[[str], int] = _none_spare
    ) -> None:
        self._capacity = capacity
        self._spare = spare
        self._rules = rules
        self._counter = 0
        self._turns: dict[str, int] = {}
        self._waiting: list[Call] = []
        self._running: list[Call] = []
        self._held_by_scope: Counter[str] = Counter()
        self._held_by_model: Counter[str] = Counter()

    @property
    def running(self) -> tuple[Call, ...]:
        """The calls that were let in and have not left, in the order they were let in."""
        return tuple(self._running)

    @property
    def in_use(self) -> int:
        """Places held, over all models."""
        return self._held_by_model.total()

    def in_use_of(self, model: str) -> int:
        """Places of one model that are held."""
        return self._held_by_model[model]

    def held_by(self, scope: str) -> int:
        """Places one scope holds, over all models."""
        return self._held_by_scope[scope]

    def queue(self) -> list[Call]:
        """The calls that wait, the next one first."""
        ahead: Counter[str] = Counter()
        ranked = []
        for call in sorted(self._waiting, key=lambda call: (_RANK[call.traffic], call.number)):
            share = self._held_by_scope[call.scope] + ahead[call.scope]
            ranked.append(((_RANK[call.traffic], share, self._turns[call.scope], call.number), call))
            ahead[call.scope] += 1
        return [call for _, call in sorted(ranked, key=lambda row: row[0])]

    def arrive(self, call: Call) -> Call | None:
        """Lets the call in, or lets it wait. Gives back the call refused for want of room in the queue, if any."""
        call.number = self._next_number()
        self._turns.setdefault(call.scope, call.number)
        self._waiting.append(call)
        self._share_out()
        if len(self._waiting) <= self._rules.queue_size:
            return None
        crowd = Counter(call.scope for call in self._waiting)
        refused = max(self._waiting, key=lambda call: (_RANK[call.traffic], crowd[call.scope], call.number))
        self.leave(refused)
        return refused

    def finish_choice(self, call: Call) -> None:
        """One of the call's choices ended; a place it has no more use for, or somebody waits for, goes on."""
        if call not in self._running or call.unfinished == 0:
            return
        call.unfinished -= 1
        if call.held > min(call.unfinished, call.allowed):
            self._hold(call, -1)
        self._share_out()

    def leave(self, call: Call) -> None:
        """The call ended, gave up or was cancelled, wherever it was; nothing of it stays. Twice is once."""
        if call in self._waiting:
            self._waiting.remove(call)
        elif call in self._running:
            self._running.remove(call)
            self._hold(call, -call.held)
        else:
            return
        if all(other.scope != call.scope for other in (*self._waiting, *self._running)):
            del self._turns[call.scope]
        self._share_out()

    def is_running(self, call: Call) -> bool:
        """True from being let in to leaving."""
        return call in self._running

    def room(self, call: Call, without: Call | None = None) -> int:
        """How many places the call could take now; with `without`, if that call gave one of its own back.

        Below 1 there is none.
        """
        given = 0 if without is None else 1
        same_model = given if without is not None and without.model == call.model else 0
        same_scope = given if without is not None and without.scope == call.scope else 0
        is_newcomer = call.traffic is TrafficClass.INTERACTIVE and self._held_by_scope[call.scope] == 0
        extra = self._spare(call.model) if is_newcomer else 0
        rooms = [self._capacity(call.model) + extra - self._held_by_model[call.model] + same_model]
        if self._rules.total is not None:
            rooms.append(self._rules.total - self.in_use + given)
        if call.traffic is TrafficClass.LOAD:
            rooms = [room - self._reserve(call.model) for room in rooms]
        if call.own_limit is not None:
            rooms.append(call.own_limit - self._held_by_scope[call.scope] + same_scope)
        return min(rooms)

    def _reserve(self, model: str) -> int:
        """What load tests leave free, but never so much that none could ever run."""
        total = self._rules.total
        places = self._capacity(model) if total is None else min(self._capacity(model), total)
        return min(self._rules.load_reserve, places - 1)

    def _share_out(self) -> None:
        while (call := self._first_with_room(self.queue())) is not None:
            self._waiting.remove(call)
            self._running.append(call)
            self._turns[call.scope] = self._next_number()
            self._hold(call, 1)
        while (call := self._first_with_room(self._wanting_more())) is not None:
            self._hold(call, 1)
        for call in self._running:
            yields = (
                sum(self.room(other, without=call) >= 1 for other in self._waiting) if call.held > 1 else 0
            )
            call.allowed = min(call.held, max(1, call.held - yields))

    def _next_number(self) -> int:
        self._counter += 1
        return self._counter

    def _first_with_room(self, calls: Iterable[Call]) -> Call | None:
        return next((call for call in calls if self.room(call) >= 1), None)

    def _wanting_more(self) -> list[Call]:
        wanting = [call for call in self._running if 0 < call.held < call.unfinished]
        return sorted(
            wanting, key=lambda call: (_RANK[call.traffic], self._held_by_scope[call.scope], call.number)
        )

    def _hold(self, call: Call, places: int) -> None:
        call.held += places
        for counts, name in ((self._held_by_scope, call.scope), (self._held_by_model, call.model)):
            counts[name] += places
            if counts[name] == 0:
                del counts[name]
