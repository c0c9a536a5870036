from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import date

import pytest

from tests.store.clock import Clock
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import Usage
from workbench.store import DayOfUse, Store, ledger
from workbench.store.usage import cost_in_credits

ADA = Caller("k1", account="ada", key_id="k1")
ADAS_OTHER_KEY = Caller("k2", account="ada", key_id="k2")
MAY_4 = date(2026, 5, 4)


async def test_requests_of_a_day_key_and_model_are_added_up(store: Store) -> None:
    assert await store.usage.add(ADA, "m", Usage(10, 5), 200_000)
    assert await store.usage.add(ADA, "m", Usage(1, 2), 200_000)
    await store.usage.add(ADA, "other", Usage(3, 0))
    await store.usage.add(ADAS_OTHER_KEY, "m", Usage(4, 0))

    assert await store.usage.by_day(MAY_4) == [
        DayOfUse(MAY_4, "ada", "k1", "m", 2, 11, 7, 3.6),
        DayOfUse(MAY_4, "ada", "k1", "other", 1, 3, 0, 0.0),
        DayOfUse(MAY_4, "ada", "k2", "m", 1, 4, 0, 0.0),
    ]


async def test_the_pages_use_has_an_account_and_no_key(store: Store) -> None:
    await store.usage.add(LOCAL_USER, "m", Usage(1, 1))
    (day,) = await store.usage.by_day(MAY_4, account="local")
    assert day.key_id is None


async def test_use_can_be_asked_by_account_key_and_day(store: Store, clock: Clock) -> None:
    await store.usage.add(ADA, "m", Usage(1, 0))
    await store.usage.add(ADAS_OTHER_KEY, "m", Usage(2, 0))
    clock.advance(hours=12)
    await store.usage.add(ADA, "m", Usage(4, 0))

    assert [day.prompt_tokens for day in await store.usage.by_day(MAY_4, key_id="k1")] == [1, 4]
    assert [day.prompt_tokens for day in await store.usage.by_day(date(2026, 5, 5))] == [4]
    assert await store.usage.by_day(MAY_4, account="bob") == []


async def test_tokens_today_are_the_keys_own_and_begin_anew_at_midnight_utc(
    store: Store, clock: Clock
) -> None:
    assert await store.usage.tokens_today(ADA) == 0
    await store.usage.add(ADA, "m", Usage(10, 5))
    await store.usage.add(ADA, "other", Usage(1, 1))
    await store.usage.add(ADAS_OTHER_KEY, "m", Usage(100, 100))
    clock.advance(hours=11, minutes=59)
    assert await store.usage.tokens_today(ADA) == 17
    clock.advance(minutes=1)
    assert await store.usage.tokens_today(ADA) == 0


async def test_two_stores_on_one_database_add_to_the_same_lines(
    store: Store, clock: Clock, database_address: str
) -> None:
    async with await Store.open(database_address, clock=clock) as other:
        both = [one.usage.add(ADA, "m", Usage(1, 0)) for one in (store, other) for _ in range(20)]
        assert all(await asyncio.gather(*both))
    assert await store.usage.tokens_today(ADA) == 40


async def test_a_caller_cancelled_while_it_waits_is_counted(store: Store) -> None:
    adding = asyncio.create_task(store.usage.add(ADA, "m", Usage(7, 0)))
    await asyncio.sleep(0)
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    assert await store.usage.tokens_today(ADA) == 7


async def test_what_is_noted_is_written_when_the_store_closes(database_address: str, clock: Clock) -> None:
    opened = await Store.open(database_address, clock=clock)
    adding = asyncio.create_task(opened.usage.add(ADA, "m", Usage(7, 0)))
    await asyncio.sleep(0)
    await opened.close()
    assert await adding
    async with await Store.open(database_address, clock=clock) as again:
        assert await again.usage.tokens_today(ADA) == 7


async def test_while_the_database_is_locked_the_counts_are_kept_and_written_later(
    new_sqlite: Callable[[], str],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("workbench.store.sqlite.BUSY_TIMEOUT_MS", 1)
    monkeypatch.setattr(ledger, "RETRY_SECONDS", 0.01)
    address = new_sqlite()
    store = await Store.open(address, clock=clock)
    blocker = sqlite3.connect(address, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING, logger="workbench"):
        assert not await store.usage.add(ADA, "m", Usage(3, 0))
    assert "kept in memory" in caplog.text
    blocker.execute("ROLLBACK")
    blocker.close()
    await store.usage.add(ADA, "m", Usage(4, 0))
    assert await store.usage.tokens_today(ADA) == 7
    await store.close()


def test_credits_are_tokens_times_the_price() -> None:
    assert cost_in_credits(5_000_000, 0.2) == pytest.approx(1.0)
    assert cost_in_credits(5_000_000, None) == 0.0
    assert cost_in_credits(5_000_000, 0.0) == 0.0
