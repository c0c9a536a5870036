"""Who may see and change which keys, use and accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from workbench.accounts import AccountDesk, KeyWish
from workbench.core.access import KeyKind
from workbench.core.caller import Caller, CallerLimits
from workbench.core.chat import Usage
from workbench.core.errors import Forbidden, InvalidApiKey, NotFound
from workbench.store import Store

ADA = Caller("account:ada", account="ada", is_admin=True)
BOB = Caller("account:bob", account="bob")
EVE = Caller("account:eve", account="eve", models=frozenset({"small"}))


@pytest.fixture
def desk(store: Store) -> AccountDesk:
    return AccountDesk(lambda: store)


async def test_a_key_is_made_for_the_account_that_asks_with_what_it_wished(
    desk: AccountDesk, store: Store
) -> None:
    limits = CallerLimits(2, 30, 1000)
    made = await desk.create_key(BOB, KeyWish("nightly", timedelta(days=7), ["small"], limits))
    found = await store.keys.authenticate(made.secret)
    assert (found.account, found.kind, found.models, found.limits) == (
        "bob",
        KeyKind.INFERENCE,
        frozenset({"small"}),
        limits,
    )
    assert found.expires_at == found.created_at + timedelta(days=7)


async def test_a_key_reaches_no_further_than_its_account(desk: AccountDesk) -> None:
    with pytest.raises(Forbidden):
        await desk.create_key(EVE, KeyWish("wide", models=["small", "large"]))


async def test_an_account_sees_its_own_keys_newest_first(desk: AccountDesk) -> None:
    await desk.create_key(ADA, KeyWish("hers"))
    for name in ("first", "second"):
        await desk.create_key(BOB, KeyWish(name))
    assert [key.name for key in await desk.keys(BOB)] == ["second", "first"]
    assert len(await desk.keys(ADA, of_everybody=True)) == 3


async def test_anothers_key_is_as_good_as_none(desk: AccountDesk, store: Store) -> None:
    made = await desk.create_key(ADA, KeyWish("hers"))
    with pytest.raises(NotFound):
        await desk.revoke_key(BOB, made.id)
    with pytest.raises(NotFound):
        await desk.rotate_key(BOB, made.id, timedelta(0))
    assert (await store.keys.authenticate(made.secret)).id == made.id


async def test_an_admin_revokes_anybodys_key_and_it_is_recorded_by_id(
    desk: AccountDesk, store: Store
) -> None:
    made = await desk.create_key(BOB, KeyWish("his"))
    await desk.revoke_key(ADA, made.id)
    with pytest.raises(InvalidApiKey, match="revoked"):
        await store.keys.authenticate(made.secret)
    (line,) = await store.admin_log.newest()
    assert (line.actor, line.action, line.subject) == ("ada", "key.revoke", made.id)


async def test_a_rotated_keys_text_before_works_for_the_grace(desk: AccountDesk, store: Store) -> None:
    made = await desk.create_key(BOB, KeyWish("his"))
    rotated = await desk.rotate_key(BOB, made.id, timedelta(hours=1))
    for secret in (made.secret, rotated.secret):
        assert (await store.keys.authenticate(secret)).id == made.id


async def test_everybodys_is_for_admins(desk: AccountDesk) -> None:
    with pytest.raises(Forbidden):
        await desk.keys(BOB, of_everybody=True)
    with pytest.raises(Forbidden):
        await desk.usage(BOB, 7, of_everybody=True)
    with pytest.raises(Forbidden):
        await desk.accounts(BOB)
    with pytest.raises(Forbidden):
        await desk.set_disabled(BOB, "ada", True)


async def test_use_is_the_accounts_own_or_everybodys(desk: AccountDesk, store: Store) -> None:
    for caller in (ADA, BOB):
        await store.usage.add(caller, "small", Usage(10, 5), 1.0)
    assert [use.account for use in await desk.usage(BOB, 1)] == ["bob"]
    assert {use.account for use in await desk.usage(ADA, 1, of_everybody=True)} == {"ada", "bob"}


async def test_a_closed_account_opens_nothing_by_key_or_password(desk: AccountDesk, store: Store) -> None:
    made = await desk.create_key(BOB, KeyWish("his"))
    await desk.set_disabled(ADA, "Bob", True)
    with pytest.raises(InvalidApiKey):
        await store.keys.authenticate(made.secret)
    assert (await store.accounts.get("bob")).disabled_at is not None
