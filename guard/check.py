"""One place where a guard is called: bounded in time, timed, and never a reason for a chat to crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from guard.base import Direction, Guard, Verdict, VerdictState
from guard.policy import ScreeningPolicy
from workbench.core.backend import CallContext
from workbench.core.chat import Message


@dataclass(frozen=True, slots=True)
class Checked:
    """Verdicts in the order of their conversations, as the policy sees them, and the wall time they took."""

    verdicts: tuple[Verdict, ...]
    took_ms: float


async def check(
    guard: Guard,
    policy: ScreeningPolicy,
    conversations: Sequence[Sequence[Message]],
    direction: Direction,
    context: CallContext,
) -> Checked:
    """The policy's verdicts. A guard that fails or takes too long gives UNAVAILABLE ones; nothing is raised."""
    wanted = policy.of(direction)
    started = time.perf_counter()
    try:
        async with asyncio.timeout(policy.timeout_seconds):
            verdicts = await guard.check_many(conversations, direction, context, threshold=wanted.threshold)
    except TimeoutError:
        verdicts = _unavailable(guard, direction, len(conversations), "the guard took too long")
    except Exception as failure:  # noqa: BLE001 - any fault of a guard is "not judged"; the policy decides what follows
        # Only its type: the message of a foreign error may quote the text.
        reason = f"the guard failed ({type(failure).__name__})"
        verdicts = _unavailable(guard, direction, len(conversations), reason)
    took_ms = (time.perf_counter() - started) * 1000
    return Checked(tuple(wanted.judged(verdict) for verdict in verdicts), took_ms)


def _unavailable(guard: Guard, direction: Direction, count: int, reason: str) -> list[Verdict]:
    return [Verdict(guard.name, direction, VerdictState.UNAVAILABLE, reason=reason)] * count
