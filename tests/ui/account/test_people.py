"""Passwords and accounts on the Account page: what is said, and who may."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import gradio as gr
import pytest
from argon2 import PasswordHasher

from workbench.accounts import AccountDesk
from workbench.core.access import AccountRole
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import InvalidLogin
from workbench.store import Store
from workbench.store.passwords import Passwords
from workbench.ui.account.password import changed
from workbench.ui.account.people import PeopleEvents

ADA = Caller("account:ada", account="ada", is_admin=True)
BOB = Caller("account:bob", account="bob")
REQUEST = gr.Request()
OLD, NEW = "correct horse battery", "staple of the day"


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Store, None]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("workbench.store.store.Passwords", lambda: Passwords(quick))
    async with await Store.open(tmp_path / "workbench.db") as opened:
        await opened.accounts.create("ada", OLD, AccountRole.ADMIN)
        await opened.accounts.create("bob", OLD)
        yield opened


def people(store: Store, caller: Caller = ADA) -> PeopleEvents:
    return PeopleEvents(AccountDesk(lambda: store), lambda request: caller)


async def change(store: Store, old: str, new: str, again: str, caller: Caller = BOB) -> str:
    return await changed(AccountDesk(lambda: store), lambda request: caller, REQUEST, old, new, again)


async def test_a_password_is_changed_with_the_old_one_and_ends_sessions(store: Store) -> None:
    epoch = (await store.accounts.get("bob")).session_epoch
    assert "is changed" in await change(store, OLD, NEW, NEW)
    assert (await store.accounts.log_in("bob", NEW, "x")).name == "bob"
    with pytest.raises(InvalidLogin):
        await store.accounts.session("bob", epoch)


@pytest.mark.parametrize(
    ("old", "new", "again", "reason"),
    [
        ("wrong password", NEW, NEW, "password is wrong"),
        (OLD, NEW, "another one", "differ"),
        (OLD, "short", "short", "at least 10"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    store: Store, old: str, new: str, again: str, reason: str
) -> None:
    assert reason in await change(store, old, new, again)
    assert (await store.accounts.log_in("bob", OLD, "x")).name == "bob"


async def test_the_local_user_has_no_password(store: Store) -> None:
    assert "no password" in await change(store, OLD, NEW, NEW, LOCAL_USER)


async def test_an_admin_makes_promotes_closes_and_opens_an_account(store: Store) -> None:
    admin = people(store)
    notice, name, password = await admin.make(REQUEST, "Eve", OLD, "member")
    assert ("eve is made" in notice, name, password) == (True, "", "")
    assert "eve is admin now" in await admin.set_role(REQUEST, "eve", "admin")
    assert (await store.accounts.get("eve")).is_admin
    assert "is closed" in await admin.close(REQUEST, "eve")
    table, chosen = await admin.listed(REQUEST, "eve")
    assert ("closed" in table, chosen.value) == (True, "eve")
    assert "is open again" in await admin.open(REQUEST, "eve")
    assert "another password" in (await admin.reset(REQUEST, "eve", NEW))[0]
    assert (await store.accounts.log_in("eve", NEW, "x")).is_admin
    assert [line.action for line in await store.admin_log.newest()][::-1] == [
        "account.create",
        "account.admin",
        "account.disable",
        "account.enable",
        "account.password",
    ]


async def test_the_last_admin_stays_one(store: Store) -> None:
    assert "last admin" in await people(store).set_role(REQUEST, "ada", "member")
    assert "last admin" in await people(store).close(REQUEST, "ada")


async def test_a_member_decides_about_nobody(store: Store) -> None:
    member = people(store, BOB)
    assert member.shown(REQUEST)[0].visible is False
    assert (await member.listed(REQUEST, None))[0] == ""
    for said in (
        (await member.make(REQUEST, "eve", OLD, "admin"))[0],
        (await member.reset(REQUEST, "ada", NEW))[0],
        await member.set_role(REQUEST, "bob", "admin"),
        await member.close(REQUEST, "ada"),
    ):
        assert "Only an admin" in said
    assert [account.name for account in await store.accounts.list()] == ["ada", "bob"]


def test_the_local_user_reads_how_to_share_the_server(store: Store) -> None:
    section, text = people(store, LOCAL_USER).shown(REQUEST)
    assert (section.visible, "workbench users create" in text) == (False, True)
