from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from workbench.admission import Gate, Rules, Ticket
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import RateLimited
from workbench.joint_call import JointCall, PromptTicket

MODEL = "m"


def gate(places: int, queue_size: int = 32) -> Gate:
    return Gate(lambda model: places, Rules(queue_size=queue_size), queue_seconds=0.05)


def joint(at: Gate, choices: list[int], caller: Caller = LOCAL_USER) -> JointCall:
    return JointCall(lambda: at.admit(caller, MODEL, choices=sum(choices)), choices)


class Choir:
    """Prompts that generate their choices one after another; it knows the most that sang at once."""

    def __init__(self) -> None:
        self.singing = 0
        self.most = 0
        self.order: list[int] = []

    async def sing(self, call: JointCall, number: int, choices: int) -> None:
        async with call.prompt(number) as ticket:
            await ticket.turn()
            self.order.append(number)
            left = choices
            while left:
                now = min(left, ticket.places)
                self.singing += now
                self.most = max(self.most, self.singing)
                await asyncio.sleep(0.001)
                self.singing -= now
                for _ in range(now):
                    ticket.finish_choice()
                left -= now


@pytest.mark.parametrize("places", [1, 2, 3, 16])
async def test_prompts_of_a_call_use_as_many_places_as_there_are_and_begin_in_order(places: int) -> None:
    at, choir, choices = gate(places), Choir(), [1, 3, 2, 1]
    call = joint(at, choices)
    await asyncio.gather(*(choir.sing(call, number, count) for number, count in enumerate(choices)))
    assert choir.order == [0, 1, 2, 3]
    assert choir.most == min(places, sum(choices))
    assert at.load().places_in_use == at.load().running_calls == 0


async def test_a_call_of_many_prompts_is_one_call_at_the_gate() -> None:
    at = gate(2, queue_size=0)
    call = joint(at, [1] * 8)
    async with call.prompt(0), call.prompt(7):
        assert at.load().running_calls == 1


async def test_a_refusal_reaches_every_prompt() -> None:
    at = gate(1)
    async with at.admit(Caller("other"), MODEL):
        call = joint(at, [1, 1])

        async def enter(number: int) -> None:
            async with call.prompt(number):
                pytest.fail("let in")

        refusals = await asyncio.gather(enter(0), enter(1), return_exceptions=True)
    assert [type(refusal) for refusal in refusals] == [RateLimited, RateLimited]
    assert at.load().running_calls == 0


async def test_prompts_that_give_up_while_they_wait_leave_nothing_at_the_gate() -> None:
    at = gate(1)
    async with at.admit(Caller("other"), MODEL):
        call = joint(at, [1, 1])

        async def enter(number: int) -> None:
            async with call.prompt(number):
                pytest.fail("let in")

        tasks = [asyncio.create_task(enter(number)) for number in range(2)]
        await asyncio.sleep(0.01)
        assert at.load().waiting_calls == 1
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert at.load().waiting_calls == 0


async def test_a_prompt_that_ends_early_passes_its_places_on() -> None:
    call = joint(gate(1), [4, 1])
    async with call.prompt(1) as second:
        async with call.prompt(0) as first:
            await first.turn()
            waiting = asyncio.create_task(second.turn())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting


async def test_the_ticket_is_entered_and_left_by_one_task() -> None:
    tasks: list[asyncio.Task[object] | None] = []
    at = gate(1)

    @asynccontextmanager
    async def admit() -> AsyncIterator[Ticket]:
        tasks.append(asyncio.current_task())
        async with at.admit(LOCAL_USER, MODEL) as ticket:
            yield ticket
        tasks.append(asyncio.current_task())

    call = JointCall(admit, [1])

    async def enter() -> PromptTicket:
        async with call.prompt(0) as ticket:
            return ticket

    await asyncio.create_task(enter())
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
