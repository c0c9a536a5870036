from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from workbench.admission import Gate, GateLoad, QueuePosition, Rules
from workbench.core.caller import Caller, CallerLimits
from workbench.core.chat import TrafficClass
from workbench.core.errors import Overloaded, QuotaExhausted, RateLimited

ADA = Caller("ada")
BOB = Caller("bob")
EMPTY = GateLoad(running_calls=0, waiting_calls=0, places_in_use=0)


def _gate(capacity: int | None = 1, *, queue_seconds: float = 30, **rules: int) -> Gate:
    return Gate(lambda _model: capacity, Rules(**rules), queue_seconds=queue_seconds)


@asynccontextmanager
async def _held(gate: Gate, caller: Caller = ADA, *, calls: int = 1) -> AsyncIterator[list[asyncio.Event]]:
    """Calls that stay in the gate until their event is set, or the context ends."""
    ends = [asyncio.Event() for _ in range(calls)]
    entered = [asyncio.Event() for _ in range(calls)]

    async def hold(index: int) -> None:
        async with gate.admit(caller, "m"):
            entered[index].set()
            await ends[index].wait()

    tasks = [asyncio.create_task(hold(index)) for index in range(calls)]
    await asyncio.gather(*(event.wait() for event in entered))
    try:
        yield ends
    finally:
        for event in ends:
            event.set()
        await asyncio.gather(*tasks)


async def _until_waiting(gate: Gate, calls: int) -> None:
    while gate.load().waiting_calls != calls:  # noqa: ASYNC110 - polled, so that the gate needs no event for tests
        await asyncio.sleep(0)


async def _pass(gate: Gate, caller: Caller, **settings: object) -> None:
    async with gate.admit(caller, "m", **settings):  # type: ignore[arg-type]
        pass


async def test_a_call_holds_its_places_until_its_context_ends() -> None:
    gate = _gate(4)
    async with gate.admit(ADA, "m", choices=3) as ticket:
        assert ticket.places == 3
        assert ticket.waited_seconds < 1
        assert gate.load() == GateLoad(1, 0, 3)
    assert gate.load() == EMPTY


async def test_a_model_nobody_knows_yet_has_four_places() -> None:
    gate = _gate(None)
    async with gate.admit(ADA, "m", choices=16) as ticket:
        assert ticket.places == 4


async def test_an_error_inside_frees_the_places() -> None:
    gate = _gate()
    with pytest.raises(LookupError):
        async with gate.admit(ADA, "m"):
            raise LookupError
    assert gate.load() == EMPTY


async def test_the_call_that_waits_is_let_in_when_a_place_is_free() -> None:
    gate = _gate()
    async with _held(gate) as (end,):
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        end.set()
        await waiting
    assert gate.load() == EMPTY


async def test_who_waits_too_long_is_told_to_come_back_with_measured_seconds() -> None:
    gate = _gate()
    async with _held(gate):
        with pytest.raises(RateLimited) as refused:
            await _pass(gate, BOB, wait_seconds=0.01)
        assert gate.load() == GateLoad(1, 0, 1)
    error = refused.value
    assert error.message == "Concurrent request limit reached, please try again later"
    assert (error.status, error.type, error.code) == (429, "requests", "rate_limit_exceeded")
    assert error.retry_after_seconds == 1
    assert error.headers == {
        "x-ratelimit-limit-requests": "1",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1s",
    }


@pytest.mark.parametrize(("call_seconds", "expected"), [(0.2, 1), (12.0, 12), (500.0, 120)])
async def test_retry_after_is_measured_from_the_calls_before_and_never_over_two_minutes(
    call_seconds: float, expected: int
) -> None:
    now = [0.0]
    gate = Gate(lambda _model: 1, Rules(queue_size=0), clock=lambda: now[0])
    for _ in range(3):
        async with gate.admit(ADA, "m"):
            now[0] += call_seconds
    async with _held(gate):
        with pytest.raises(RateLimited) as refused:
            await _pass(gate, BOB)
    assert refused.value.retry_after_seconds == expected


async def test_a_full_queue_refuses_at_once() -> None:
    gate = _gate(queue_size=1)
    async with _held(gate) as (end,):
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        with pytest.raises(RateLimited):
            await _pass(gate, Caller("carol"))
        end.set()
        await waiting


async def test_the_one_who_is_put_out_of_the_queue_hears_of_it() -> None:
    gate = _gate(queue_size=1)
    async with _held(gate) as (end,):
        load = asyncio.create_task(_pass(gate, BOB, traffic=TrafficClass.LOAD))
        await _until_waiting(gate, 1)
        person = asyncio.create_task(_pass(gate, BOB))
        with pytest.raises(RateLimited):
            await load
        end.set()
        await person


async def test_a_keys_own_limit_makes_it_wait_while_others_pass() -> None:
    gate = _gate(4)
    limited = Caller("ada", limits=CallerLimits(concurrency=1))
    async with _held(gate, limited):
        with pytest.raises(RateLimited) as refused:
            await _pass(gate, limited, wait_seconds=0.01)
        await _pass(gate, BOB, wait_seconds=0.01)
    assert refused.value.headers["x-ratelimit-limit-requests"] == "1"


async def test_who_waits_hears_each_new_position_once() -> None:
    gate = _gate()
    heard: list[QueuePosition] = []
    async with _held(gate, calls=1) as (end,):
        first = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        second = asyncio.create_task(_pass(gate, Caller("carol"), on_wait=heard.append))
        await _until_waiting(gate, 2)
        third = asyncio.create_task(_pass(gate, Caller("dora")))
        await _until_waiting(gate, 3)
        end.set()
        await asyncio.gather(first, second, third)
    assert [seen.position for seen in heard] == [2, 1]
    assert all(1 <= seen.wait_seconds <= 120 for seen in heard)


async def test_a_listener_that_fails_disturbs_nobody_elses_call() -> None:
    gate = _gate()
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: reported.append(context["message"])
    )

    def fail(_seen: QueuePosition) -> None:
        raise LookupError

    async with _held(gate) as (end,):
        waiting = asyncio.create_task(_pass(gate, BOB, on_wait=fail))
        await _until_waiting(gate, 1)
        await asyncio.sleep(0)
        end.set()
        await waiting
    assert len(reported) == 1


async def test_a_caller_who_gives_up_waiting_leaves_no_trace() -> None:
    gate = _gate()
    async with _held(gate):
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert gate.load() == GateLoad(1, 0, 1)


async def test_a_caller_cancelled_in_the_moment_of_being_let_in_gives_the_place_back() -> None:
    gate = _gate()
    async with _held(gate) as (end,):
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        end.set()
        await _until_waiting(gate, 0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert gate.load() == EMPTY
    await _pass(gate, ADA, wait_seconds=0)


async def test_a_place_is_handed_over_when_a_choice_of_a_wide_call_ends() -> None:
    gate = _gate(4)
    async with gate.admit(ADA, "m", choices=8) as wide:
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        assert wide.places == 3
        wide.finish_choice()
        await waiting
        assert wide.places == 4


async def test_requests_a_minute_are_a_limit_of_the_keys_own() -> None:
    gate = _gate(4)
    limited = Caller("ada", limits=CallerLimits(requests_per_minute=2))
    for remaining in ("1", "0"):
        async with gate.admit(limited, "m") as ticket:
            assert ticket.headers["x-ratelimit-limit-requests"] == "2"
            assert ticket.headers["x-ratelimit-remaining-requests"] == remaining
    with pytest.raises(RateLimited, match="2 requests a minute") as refused:
        await _pass(gate, limited)
    assert refused.value.retry_after_seconds is not None
    assert 1 <= refused.value.retry_after_seconds <= 60
    assert refused.value.headers["x-ratelimit-remaining-requests"] == "0"
    await _pass(gate, BOB)
    assert gate.load() == EMPTY


async def test_the_days_tokens_used_up_are_a_refusal_that_says_not_to_retry() -> None:
    used = {"ada": 99}

    async def tokens_today(caller: Caller) -> int:
        return used[caller.scope]

    gate = Gate(lambda _model: 4, tokens_today=tokens_today)
    limited = Caller("ada", limits=CallerLimits(tokens_per_day=100))
    async with gate.admit(limited, "m") as ticket:
        assert ticket.headers["x-ratelimit-limit-tokens"] == "100"
        assert ticket.headers["x-ratelimit-remaining-tokens"] == "1"
    used["ada"] = 130
    with pytest.raises(QuotaExhausted, match="100 tokens a day") as refused:
        await _pass(gate, limited)
    assert refused.value.code == "insufficient_quota"
    assert refused.value.headers["x-should-retry"] == "false"
    assert refused.value.headers["x-ratelimit-remaining-tokens"] == "0"


async def test_an_answer_says_how_many_places_are_left() -> None:
    gate = _gate(4)
    async with gate.admit(ADA, "m") as ticket:
        assert ticket.headers == {
            "x-ratelimit-limit-requests": "4",
            "x-ratelimit-remaining-requests": "3",
            "x-ratelimit-reset-requests": "0s",
        }


async def test_a_stopping_gate_refuses_newcomers_and_who_waits_and_lets_who_is_in_finish() -> None:
    gate = _gate()
    async with _held(gate) as (end,):
        waiting = asyncio.create_task(_pass(gate, BOB))
        await _until_waiting(gate, 1)
        gate.stop(retry_after_seconds=7)
        for refused_call in (waiting, _pass(gate, ADA)):
            with pytest.raises(Overloaded) as refused:
                await refused_call
            assert (refused.value.status, refused.value.code) == (503, "overloaded")
            assert refused.value.retry_after_seconds == 7
        assert not await gate.drained(0.01)
        end.set()
        assert await gate.drained(30)


async def test_random_arrivals_cancels_and_failures_leave_no_place_taken() -> None:
    dice = random.Random(7)
    gate = _gate(3, queue_seconds=0.02, queue_size=6, total=5)
    seen_in_use: list[int] = []

    async def call(scope: str, model: str) -> None:
        caller = Caller(scope, limits=CallerLimits(concurrency=dice.choice([None, 1, 2])))
        traffic = dice.choice(list(TrafficClass))
        async with gate.admit(caller, model, choices=dice.randint(1, 5), traffic=traffic) as ticket:
            seen_in_use.append(gate.load().places_in_use)
            for _ in range(dice.randint(0, 4)):
                await asyncio.sleep(dice.random() / 500)
                ticket.finish_choice()
            if dice.random() < 0.2:
                raise LookupError

    tasks = []
    for _ in range(400):
        tasks.append(asyncio.create_task(call(dice.choice("abcd"), dice.choice("xy"))))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.5:
            await asyncio.sleep(dice.random() / 1000)
    results = await asyncio.gather(*tasks, return_exceptions=True)

    kinds = {type(result) for result in results}
    assert kinds == {type(None), RateLimited, LookupError, asyncio.CancelledError}
    assert max(seen_in_use) <= 5
    assert gate.load() == EMPTY


async def test_two_hundred_calls_of_one_key_are_all_answered_and_another_key_goes_first() -> None:
    gate = _gate(4, queue_size=32)
    order: list[str] = []

    async def call(caller: Caller) -> None:
        async with gate.admit(caller, "m"):
            order.append(caller.scope)
            await asyncio.sleep(0.001)

    flood = [asyncio.create_task(call(ADA)) for _ in range(200)]
    await _until_waiting(gate, 32)
    await call(BOB)
    results = await asyncio.gather(*flood, return_exceptions=True)

    assert order.index("bob") <= 5
    assert {type(result) for result in results} == {type(None), RateLimited}
    assert sum(result is None for result in results) == 4 + 32 - 1
    assert gate.load() == EMPTY
