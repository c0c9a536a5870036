from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import gradio as gr
import pytest

from workbench.accounts import AccountDesk
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import InvalidApiKey
from workbench.store import Store
from workbench.ui.account.events import DISABLE, ENABLE, EVERYBODY, MINE, AccountEvents

ADA = Caller("account:ada", account="ada", is_admin=True)
BOB = Caller("account:bob", account="bob")
REQUEST = gr.Request()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store, None]:
    async with await Store.open(tmp_path / "workbench.db") as opened:
        yield opened


def events(store: Store, caller: Caller = BOB) -> AccountEvents:
    return AccountEvents(AccountDesk(lambda: store), lambda request: caller)


async def make(account: AccountEvents, name: str = "ci") -> tuple[str, str]:
    """The new key's text, and the notice above it."""
    notice, shown = await account.make(REQUEST, name, 30, [], None, 5, None)
    found = re.search(r"<code>(wb-[^<]+)</code>", shown)
    return ("" if found is None else found[1]), notice


async def test_a_new_key_works_and_is_said_to_be_shown_once(store: Store) -> None:
    secret, notice = await make(events(store))
    key = await store.keys.authenticate(secret)
    assert (key.account, key.limits.requests_per_minute, key.limits.concurrency) == ("bob", 5, None)
    assert "You will not see this again" in notice


async def test_a_key_without_a_name_is_a_notice_and_no_key(store: Store) -> None:
    secret, notice = await make(events(store), " ")
    assert (secret, "needs a name" in notice) == ("", True)
    assert await store.keys.is_empty()


async def test_a_keys_text_is_in_no_table(store: Store) -> None:
    account = events(store)
    secret, _ = await make(account)
    table, *_ = await account.keys(REQUEST, MINE)
    assert "ci" in table
    assert secret not in table


async def test_what_needs_a_key_is_there_when_there_is_a_key_that_can_be_chosen(store: Store) -> None:
    account = events(store)
    assert (await account.keys(REQUEST, MINE))[2].visible is False
    secret, _ = await make(account)
    assert (await account.keys(REQUEST, MINE))[2].visible is True
    await account.revoke(REQUEST, (await store.keys.authenticate(secret)).id)
    assert (await account.keys(REQUEST, MINE))[2].visible is False


async def test_revoking_takes_a_choice_and_then_counts_at_once(store: Store) -> None:
    account = events(store)
    assert "Choose a key first" in account.ask(None)[1]
    secret, _ = await make(account)
    key_id = (await store.keys.authenticate(secret)).id
    notice, shown = await account.revoke(REQUEST, key_id)
    assert ("revoked" in notice, shown) == (True, "")
    with pytest.raises(InvalidApiKey):
        await store.keys.authenticate(secret)


async def test_a_member_who_asks_for_everybodys_is_refused(store: Store) -> None:
    table, _, tools = await events(store).keys(REQUEST, EVERYBODY)
    assert ("Only an admin" in table, tools.visible) == (True, False)
    _, sums = await events(store).usage(REQUEST, EVERYBODY, 30, "tokens")
    assert "Only an admin" in sums


def test_the_one_local_user_has_nobody_to_log_out(store: Store) -> None:
    name, whose = events(store, LOCAL_USER).who(REQUEST)
    assert (name, whose.visible) == ("", False)


def test_a_member_can_log_out_and_an_admin_sees_everybodys(store: Store) -> None:
    for caller, sees_everybody in ((BOB, False), (ADA, True)):
        name, whose = events(store, caller).who(REQUEST)
        assert 'action="logout"' in name
        assert whose.visible is sees_everybody


async def test_a_key_is_disabled_and_enabled_by_one_switch(store: Store) -> None:
    account = events(store)
    secret, _ = await make(account)
    key_id = (await store.keys.authenticate(secret)).id
    assert "is disabled" in await account.switch(REQUEST, key_id, DISABLE)
    with pytest.raises(InvalidApiKey, match="disabled"):
        await store.keys.authenticate(secret)
    switch, *_ = await account.choose(REQUEST, MINE, key_id)
    assert switch.value == ENABLE
    table, chosen, _ = await account.keys(REQUEST, MINE, key_id)
    assert ("disabled" in table, chosen.value) == (True, key_id)
    assert "is enabled" in await account.switch(REQUEST, key_id, ENABLE)
    assert (await store.keys.authenticate(secret)).id == key_id


async def test_a_keys_limits_are_shown_and_changed(store: Store) -> None:
    account = events(store)
    secret, _ = await make(account)
    key_id = (await store.keys.authenticate(secret)).id
    assert (await account.choose(REQUEST, MINE, key_id))[1:] == (None, 5, None)
    assert "are saved" in await account.limit(REQUEST, key_id, 2, None, 1000)
    assert (await account.choose(REQUEST, MINE, key_id))[1:] == (2, None, 1000)
    assert "at least 1" in await account.limit(REQUEST, key_id, -1, None, None)


async def test_a_key_of_somebody_else_is_not_there(store: Store) -> None:
    secret, _ = await make(events(store, ADA))
    key_id = (await store.keys.authenticate(secret)).id
    assert "no key with this id among yours" in await events(store).switch(REQUEST, key_id, DISABLE)
    assert "no key with this id among yours" in await events(store).limit(REQUEST, key_id, 1, None, None)
