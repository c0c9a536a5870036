"""What a guard is and what it says. Everything else in this package makes, moves or scores verdicts.

Covered: one verdict on one turn of a conversation. Not covered: what follows from it (`guard.pipeline`
decides whether to show, mark or block), and texts that no guard was asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from workbench.core.backend import CallContext
from workbench.core.chat import Message, StreamEvent


class Direction(StrEnum):
    """Which turn is judged: what goes into the model, or what it answered."""

    INPUT = "input"
    OUTPUT = "output"


class VerdictState(StrEnum):
    """UNAVAILABLE is a guard that could not judge: never to be read as safe."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A kind of harm. S1..S14 always mean what `guard.taxonomy` says; other codes are a guard's own."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says of one turn.

    `p_unsafe` is in [0, 1], or None when the guard gives no score. `hazards` may be empty although the turn
    is unsafe: a guard may not say why. `hazard_scores` maps codes to [0, 1] and is empty for guards that have
    no such scores. `reported_codes` are the codes as the guard itself wrote them, in its own numbering.
    `threshold` is the smallest `p_unsafe` that counts as unsafe. `latency_ms` is wall time. `reason` says,
    without any of the judged text, why the verdict is unavailable or what limits it.
    """

    guard: str
    direction: Direction
    state: VerdictState
    p_unsafe: float | None = None
    threshold: float | None = None
    hazards: tuple[Hazard, ...] = ()
    hazard_scores: Mapping[str, float] = field(default_factory=dict)
    reported_codes: tuple[str, ...] = ()
    latency_ms: float = 0.0
    reason: str = ""

    @property
    def is_flagged(self) -> bool:
        """True when the turn was judged and found unsafe."""
        return self.state is VerdictState.UNSAFE

    @property
    def is_available(self) -> bool:
        """True when the turn was judged at all."""
        return self.state is not VerdictState.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Screened:
    """An event of a screened stream: choice `index` (0 for the input) has its verdict.

    `checks` counts the windows judged, `guard_ms` is the time they took together. `holdback_ms` is how much
    later than generated the choice's first text was released; 0 for the input and where nothing is held back.
    """

    direction: Direction
    index: int
    verdict: Verdict
    checks: int = 1
    guard_ms: float = 0.0
    holdback_ms: float = 0.0


ScreenedEvent = StreamEvent | Screened


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """How a guard is to be opened; every entry of `GUARDS` is a function of these options and a backend.

    `kind` is the entry's own name. `name` is what the guard is called here: the catalogue id of its model, or
    `kind`. `custom_categories` replace the policy of guards that read one: code -> text, its first line the
    name. `excluded_categories` are codes, in the guard's own numbering, to be left out. `is_remote` says that
    the backend renders the conversation with a chat template of its own.
    """

    kind: str
    name: str = ""
    threshold: float | None = None
    custom_categories: Mapping[str, str] = field(default_factory=dict)
    excluded_categories: frozenset[str] = frozenset()
    is_remote: bool = False


class Guard(Protocol):
    """Judges conversations. It never raises because of what it reads: what it cannot judge is UNAVAILABLE.

    Cancelling the awaiting task ends the work. One row of a batch never changes another row's verdict.
    """

    @property
    def name(self) -> str:
        """The name it is configured, chosen and reported by."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with its weights, prompt and policy: results are comparable only where it is the same."""
        ...

    def threshold_for(self, direction: Direction) -> float:
        """The `p_unsafe` from which on it says unsafe when the caller sets no other, in [0, 1]."""
        ...

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """The hazards it can name; empty when it only tells safe from unsafe."""
        ...

    async def check(
        self,
        conversation: Sequence[Message],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> Verdict:
        """The verdict on the last user turn (INPUT) or the last assistant turn (OUTPUT).

        The turns before it are its context. `threshold` replaces the guard's own for this call.
        """
        ...

    async def check_many(
        self,
        conversations: Sequence[Sequence[Message]],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> list[Verdict]:
        """One verdict a conversation, in their order: the same as single checks would give, in less time."""
        ...
