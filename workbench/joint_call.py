"""Several prompts of one call: they pass the gate together, on one ticket, and share its places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from workbench.admission import Ticket


class PromptTicket:
    """One prompt's part of its call's ticket. What it says of places goes into the prompt's CallContext."""

    def __init__(self, call: JointCall, number: int, ticket: Ticket) -> None:
        self._call = call
        self._number = number
        self.headers = ticket.headers
        self.waited_seconds = ticket.waited_seconds

    @property
    def places(self) -> int:
        """How many of this prompt's choices should generate at once: at least 1. Any thread may read it."""
        return max(1, self._call.share(self._number))

    async def turn(self) -> None:
        """Waits until the prompts before it leave it a place."""
        await self._call.turn(self._number)

    def finish_choice(self) -> None:
        """One of its choices ended."""
        self._call.finish_choice(self._number)


class JointCall:
    """Holds the call's ticket from the first prompt that enters to the last one that leaves.

    `admit` is the gate's context; it is entered and left within one task of its own, because the prompts are read by
    tasks of theirs. `choices` is how many each prompt generates. Places go to the prompts in their order.
    """

    def __init__(
        self, admit: Callable[[], AbstractAsyncContextManager[Ticket]], choices: Sequence[int]
    ) -> None:
        self._admit = admit
        self._unfinished = list(choices)
        self._inside = 0
        self._held: Ticket | None = None
        self._holding: asyncio.Task[None] | None = None
        self._entered: asyncio.Future[Ticket] | None = None
        self._moved = asyncio.Event()

    @asynccontextmanager
    async def prompt(self, number: int) -> AsyncIterator[PromptTicket]:
        """Holds the part of prompt `number`, counted from 0. Raises: what the gate raises, to every prompt."""
        if self._entered is None:
            self._entered = asyncio.get_running_loop().create_future()
            self._holding = asyncio.create_task(self._hold(self._entered), name="hold a call's ticket")
        self._inside += 1
        try:
            yield PromptTicket(self, number, await asyncio.shield(self._entered))
        finally:
            self._inside -= 1
            await self._leave(number)

    def share(self, number: int) -> int:
        """The places that the prompts before this one leave to it, 0 or more."""
        places = 0 if self._held is None else self._held.places
        before = sum(self._unfinished[:number])
        return max(0, min(places - before, self._unfinished[number]))

    async def turn(self, number: int) -> None:
        """Waits until this prompt's share is a place or more."""
        while self.share(number) < 1:
            await self._moved.wait()

    def finish_choice(self, number: int) -> None:
        """A choice of this prompt ended."""
        self._unfinished[number] -= 1
        if self._held is not None:
            self._held.finish_choice()
        self._move()

    async def _hold(self, entered: asyncio.Future[Ticket]) -> None:
        try:
            async with self._admit() as self._held:
                entered.set_result(self._held)
                while self._inside:
                    await self._moved.wait()
        except Exception as refusal:  # noqa: BLE001 - handed to every prompt that waits, who raises it
            entered.set_exception(refusal)

    async def _leave(self, number: int) -> None:
        """What the prompt did not generate is given back; the last one takes the ticket's holder along."""
        while self._unfinished[number] > 0:
            self.finish_choice(number)
        self._move()
        if self._inside == 0 and self._holding is not None:
            if self._held is None:
                self._holding.cancel()
            await asyncio.wait({self._holding})

    def _move(self) -> None:
        """Wakes those who wait for a turn, and the holder."""
        self._moved.set()
        self._moved = asyncio.Event()
