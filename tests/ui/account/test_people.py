"""Accounts on the Account page: what is said, and who may."""

from __future__ import annotations

import gradio as gr

from tests.sites import PASSWORD
from workbench.accounts import AccountDesk
from workbench.core.caller import LOCAL_USER, Caller
from workbench.store import Store
from workbench.ui.account.password import told
from workbench.ui.account.people import PeopleEvents

ADA = Caller("account:ada", account="ada", is_admin=True)
BOB = Caller("account:bob", account="bob")
REQUEST = gr.Request()
NEW = "staple of the day"


def people(store: Store, caller: Caller = ADA) -> PeopleEvents:
    return PeopleEvents(AccountDesk(lambda: store), lambda request: caller)


def test_the_notice_after_a_new_password_says_what_came_of_it_and_empties_the_fields() -> None:
    assert "is changed" in told("")[0]
    assert "<b>" not in told("<b>")[0]
    assert "as it was" in told("The password is wrong.")[0]
    assert told("")[1:] == told("x")[1:] == ("", "", "")


async def test_an_admin_makes_promotes_closes_and_opens_an_account(store: Store) -> None:
    admin = people(store)
    notice, name, password = await admin.make(REQUEST, "Eve", PASSWORD, "member")
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
        (await member.make(REQUEST, "eve", PASSWORD, "admin"))[0],
        (await member.reset(REQUEST, "ada", NEW))[0],
        await member.set_role(REQUEST, "bob", "admin"),
        await member.close(REQUEST, "ada"),
    ):
        assert "Only an admin" in said
    assert [account.name for account in await store.accounts.list()] == ["ada", "bob"]


def test_the_local_user_reads_how_to_share_the_server(store: Store) -> None:
    section, text = people(store, LOCAL_USER).shown(REQUEST)
    assert (section.visible, "workbench users create" in text) == (False, True)
