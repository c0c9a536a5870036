from __future__ import annotations

from datetime import timedelta

import pytest

from tests.store.clock import Clock
from tests.store.contents import stored_text
from workbench.core.access import KeyKind
from workbench.core.caller import CallerLimits
from workbench.core.errors import InvalidApiKey, InvalidRequest, NotFound
from workbench.store import Store


async def test_a_new_key_authenticates_and_carries_what_it_was_made_with(store: Store) -> None:
    limits = CallerLimits(concurrency=2, requests_per_minute=30, tokens_per_day=10_000_000_000)
    made = await store.keys.create(
        name=" lab ", account="ada", models=["b", "a"], limits=limits, moderation="block"
    )

    found = await store.keys.authenticate(made.secret)

    assert made.secret.startswith("wb-")
    assert len(made.secret) == len("wb-") + 43
    assert (found.id, found.name, found.kind, found.account) == (made.id, "lab", KeyKind.INFERENCE, "ada")
    assert (found.models, found.limits, found.moderation) == (frozenset({"a", "b"}), limits, "block")
    assert made.secret[3:].startswith(found.prefix)


async def test_the_secret_is_neither_in_the_database_nor_in_a_repr(
    store: Store, database_address: str
) -> None:
    made = await store.keys.create(name="lab")
    await store.keys.authenticate(made.secret)
    await store.flush()

    written = await stored_text(database_address)

    assert made.id in written
    assert made.secret not in written
    assert made.secret[3:23] not in written
    assert made.secret not in repr(made)


@pytest.mark.parametrize(
    "secret", [None, "", "wb-unknown", "wb-" + "x" * 43, "sk-proj-" + "é" * 40, "\udcff" * 30]
)
async def test_an_unknown_key_is_refused_with_the_way_to_a_new_one(store: Store, secret: str | None) -> None:
    with pytest.raises(InvalidApiKey, match=r"^Invalid API key.*workbench keys create") as refused:
        await store.keys.authenticate(secret)
    assert refused.value.status == 401
    assert refused.value.code == "invalid_api_key"
    assert not secret or secret not in refused.value.message


async def test_the_refusal_shows_the_ends_of_the_key_only(store: Store) -> None:
    with pytest.raises(InvalidApiKey, match=r"Invalid API key: wb-AB\*\*\*wxyz is not known here"):
        await store.keys.authenticate("wb-AB" + "c" * 34 + "wxyz")


async def test_a_key_of_the_wrong_kind_is_an_invalid_key(store: Store) -> None:
    inference = await store.keys.create(name="i")
    admin = await store.keys.create(name="a", kind=KeyKind.ADMIN)

    with pytest.raises(InvalidApiKey, match=r"Invalid API key.*kind admin, and this needs inference"):
        await store.keys.authenticate(admin.secret)
    with pytest.raises(InvalidApiKey, match=r"Invalid API key.*kind inference, and this needs admin"):
        await store.keys.authenticate(inference.secret, [KeyKind.ADMIN])
    assert (await store.keys.authenticate(admin.secret, list(KeyKind))).id == admin.id


async def test_a_key_works_until_the_moment_it_expires(store: Store, clock: Clock) -> None:
    made = await store.keys.create(name="day", expires=timedelta(days=1))
    clock.advance(hours=23, minutes=59, seconds=59)
    assert (await store.keys.authenticate(made.secret)).id == made.id
    clock.advance(seconds=1)
    with pytest.raises(InvalidApiKey, match=r"Invalid API key.*has expired"):
        await store.keys.authenticate(made.secret)


async def test_a_revoked_key_opens_nothing_and_revoking_twice_keeps_the_first_moment(
    store: Store, clock: Clock
) -> None:
    made = await store.keys.create(name="lab")
    await store.keys.revoke(made.id)
    first = (await store.keys.get(made.id)).revoked_at
    clock.advance(hours=1)
    await store.keys.revoke(made.id)

    assert (await store.keys.get(made.id)).revoked_at == first
    with pytest.raises(InvalidApiKey, match=r"Invalid API key.*was revoked"):
        await store.keys.authenticate(made.secret)


async def test_after_a_rotation_the_old_secret_works_for_the_grace_period_only(
    store: Store, clock: Clock
) -> None:
    old = await store.keys.create(name="lab")
    new = await store.keys.rotate(old.id, timedelta(hours=1))

    assert new.id == old.id
    assert (await store.keys.authenticate(new.secret)).id == old.id
    clock.advance(minutes=59)
    assert (await store.keys.authenticate(old.secret)).id == old.id
    clock.advance(minutes=1)
    with pytest.raises(InvalidApiKey, match="Invalid API key"):
        await store.keys.authenticate(old.secret)
    assert (await store.keys.authenticate(new.secret)).prefix == new.secret[3:7]


async def test_a_rotation_without_grace_ends_the_old_secret_at_once(store: Store) -> None:
    old = await store.keys.create(name="lab")
    await store.keys.rotate(old.id, timedelta(hours=1))
    await store.keys.rotate(old.id)
    with pytest.raises(InvalidApiKey, match="Invalid API key"):
        await store.keys.authenticate(old.secret)


async def test_revoking_ends_the_secret_in_its_grace_period_too(store: Store) -> None:
    old = await store.keys.create(name="lab")
    await store.keys.rotate(old.id, timedelta(hours=1))
    await store.keys.revoke(old.id)
    with pytest.raises(InvalidApiKey, match=r"Invalid API key.*was revoked"):
        await store.keys.authenticate(old.secret)


async def test_a_revoked_or_expired_key_cannot_be_rotated(store: Store, clock: Clock) -> None:
    revoked = await store.keys.create(name="r")
    await store.keys.revoke(revoked.id)
    expired = await store.keys.create(name="e", expires=timedelta(days=1))
    clock.advance(days=2)
    for made in (revoked, expired):
        with pytest.raises(InvalidRequest, match="cannot be rotated"):
            await store.keys.rotate(made.id)


async def test_what_another_store_on_the_same_database_does_counts_at_the_next_request(
    store: Store, database_address: str
) -> None:
    async with await Store.open(database_address) as other:
        made = await other.keys.create(name="from the command line")
        assert (await store.keys.authenticate(made.secret)).id == made.id
        await other.keys.revoke(made.id)
        with pytest.raises(InvalidApiKey):
            await store.keys.authenticate(made.secret)


async def test_last_use_is_noted_behind_the_request_and_at_most_once_a_minute(
    store: Store, clock: Clock
) -> None:
    made = await store.keys.create(name="lab")
    assert (await store.keys.get(made.id)).last_used_at is None

    first = clock.now
    await store.keys.authenticate(made.secret)
    await store.flush()
    clock.advance(seconds=30)
    await store.keys.authenticate(made.secret)
    await store.flush()
    assert (await store.keys.get(made.id)).last_used_at == first

    clock.advance(seconds=30)
    await store.keys.authenticate(made.secret)
    await store.flush()
    assert (await store.keys.get(made.id)).last_used_at == clock.now


async def test_keys_are_listed_oldest_first_and_by_account(store: Store, clock: Clock) -> None:
    assert await store.keys.is_empty()
    mine = await store.keys.create(name="mine", account="ada")
    clock.advance(seconds=1)
    theirs = await store.keys.create(name="theirs", account="bob")

    assert [key.id for key in await store.keys.list()] == [mine.id, theirs.id]
    assert [key.id for key in await store.keys.list("bob")] == [theirs.id]
    assert not await store.keys.is_empty()


async def test_limits_can_be_changed_and_lifted(store: Store) -> None:
    made = await store.keys.create(name="lab", limits=CallerLimits(concurrency=1))
    await store.keys.set_limits(made.id, CallerLimits(tokens_per_day=5))
    assert (await store.keys.authenticate(made.secret)).limits == CallerLimits(tokens_per_day=5)


async def test_an_unknown_id_is_named_as_such(store: Store) -> None:
    for action in (store.keys.get, store.keys.rotate, store.keys.revoke):
        with pytest.raises(NotFound, match="no key with this id"):
            await action("key_none")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
async def test_a_key_needs_a_name(store: Store, name: str) -> None:
    with pytest.raises(InvalidRequest, match="needs a name"):
        await store.keys.create(name=name)


async def test_a_key_cannot_be_made_expired(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="in the future"):
        await store.keys.create(name="lab", expires=timedelta(0))


@pytest.mark.parametrize("name", ["concurrency", "requests_per_minute", "tokens_per_day"])
async def test_a_limit_that_lets_nothing_through_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await store.keys.create(name="lab", limits=CallerLimits(**{name: 0}))
    assert refused.value.param == name


async def test_a_key_speaks_for_its_account_within_its_scope_and_limits(store: Store) -> None:
    limits = CallerLimits(concurrency=2)
    made = await store.keys.create(name="s", account="ada", models=["a"], limits=limits)
    admin = await store.keys.create(name="a", kind=KeyKind.ADMIN)

    caller = (await store.keys.get(made.id)).caller

    assert (caller.scope, caller.key_id, caller.account, caller.limits) == (made.id, made.id, "ada", limits)
    assert caller.may_use("a")
    assert not caller.may_use("b")
    assert not caller.is_admin
    assert (await store.keys.get(admin.id)).caller.is_admin


async def test_a_disabled_key_opens_nothing_until_it_is_enabled(store: Store) -> None:
    made = await store.keys.create(name="ci")
    await store.keys.set_disabled(made.id, True)
    with pytest.raises(InvalidApiKey, match="disabled"):
        await store.keys.authenticate(made.secret)
    rotated = await store.keys.rotate(made.id)
    with pytest.raises(InvalidApiKey, match="disabled"):
        await store.keys.authenticate(rotated.secret)
    await store.keys.set_disabled(made.id, False)
    assert (await store.keys.authenticate(rotated.secret)).id == made.id
