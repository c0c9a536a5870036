"""No guard. It judges nothing, and says so: "off" must never read as "safe"."""

from __future__ import annotations

from collections.abc import Sequence

from guard.base import Direction, Guard, GuardOptions, Hazard, Verdict, VerdictState
from workbench.core.backend import Backend, CallContext
from workbench.core.chat import Message


class OffGuard:
    """Every verdict is UNAVAILABLE: a request that asks to be screened is refused where no guard is set."""

    name = "off"
    fingerprint = "off"
    hazards: tuple[Hazard, ...] = ()

    def threshold_for(self, direction: Direction) -> float:
        """1: nothing lies below any threshold a request may ask for."""
        return 1.0

    async def check(
        self,
        conversation: Sequence[Message],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> Verdict:
        """An unavailable verdict."""
        return Verdict(self.name, direction, VerdictState.UNAVAILABLE, reason="no guard is configured")

    async def check_many(
        self,
        conversations: Sequence[Sequence[Message]],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> list[Verdict]:
        """As many unavailable verdicts."""
        return [await self.check(conversation, direction, context) for conversation in conversations]


def open_guard(options: GuardOptions, backend: Backend | None = None) -> Guard:
    """The guard that judges nothing; it needs no options and no backend."""
    return OffGuard()
