"""One place where a guard is called: bounded in time, timed, and never a reason for a caller to crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from guard.base import Direction, Guard, Verdict, VerdictState
from guard.policy import ScreeningPolicy
from workbench.core.backend import CallContext
from workbench.core.chat import Message, Role

LAST_TURNS_BATCH = 16
"""Conversations judged at once, so that a long list leaves room for others' checks in between."""


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


async def check_last_turns(
    guard: Guard, conversations: Sequence[Sequence[Message]], context: CallContext
) -> list[Verdict]:
    """A verdict on the last turn of each conversation, the user's or the assistant's, by the guard's own threshold."""
    verdicts: dict[int, Verdict] = {}
    for direction in Direction:
        places = [place for place, turns in enumerate(conversations) if _last_side(turns) is direction]
        for start in range(0, len(places), LAST_TURNS_BATCH):
            batch = places[start : start + LAST_TURNS_BATCH]
            chosen = [conversations[place] for place in batch]
            checked = await check(guard, ScreeningPolicy(), chosen, direction, context)
            verdicts.update(zip(batch, checked.verdicts, strict=True))
    return [verdicts[place] for place in range(len(conversations))]


def _last_side(conversation: Sequence[Message]) -> Direction:
    """The side of the last turn; the operator's messages are none, wherever they stand."""
    roles = [message.role for message in conversation if message.role is not Role.SYSTEM]
    return Direction.OUTPUT if roles and roles[-1] is Role.ASSISTANT else Direction.INPUT


def _unavailable(guard: Guard, direction: Direction, count: int, reason: str) -> list[Verdict]:
    return [Verdict(guard.name, direction, VerdictState.UNAVAILABLE, reason=reason)] * count
