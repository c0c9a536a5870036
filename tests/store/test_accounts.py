from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, Protocol

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from tests.store.clock import Clock
from tests.store.contents import stored_text
from workbench.core.access import AccountRole
from workbench.core.errors import InvalidLogin, InvalidRequest, NotFound, RateLimited
from workbench.store import Store
from workbench.store.accounts import Accounts
from workbench.store.database import Database
from workbench.store.login_attempts import LoginAttempts
from workbench.store.opening import open_database
from workbench.store.passwords import Passwords
from workbench.store.tables import accounts as accounts_table

PASSWORD = "correct horse battery"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class OpenAccounts(Protocol):
    def __call__(self, hasher: PasswordHasher = FAST, attempts: LoginAttempts | None = None) -> Accounts: ...


@pytest.fixture
async def database(store: Store, database_address: str) -> AsyncIterator[Database]:
    """A second way into the store's database."""
    opened = open_database(database_address)
    yield opened
    await opened.close()


@pytest.fixture
def open_accounts(database: Database, clock: Clock) -> OpenAccounts:
    """Accounts whose hashes take no time."""

    def make(hasher: PasswordHasher = FAST, attempts: LoginAttempts | None = None) -> Accounts:
        return Accounts(database, clock, Passwords(hasher), attempts or LoginAttempts())

    return make


@pytest.fixture
def accounts(open_accounts: OpenAccounts) -> Accounts:
    return open_accounts()


async def _stored_hash(database: Database) -> str:
    query = select(accounts_table.c.password_hash)
    return str(await database.read(lambda connection: connection.execute(query).scalar_one()))


async def test_an_account_logs_in_with_its_password_and_its_name_in_any_case(
    accounts: Accounts, clock: Clock
) -> None:
    made = await accounts.create(" Ada ", PASSWORD, AccountRole.ADMIN)
    assert (made.name, made.is_admin, made.last_login_at) == ("ada", True, None)
    logged_in = await accounts.log_in("ADA", PASSWORD, "10.0.0.1")
    assert (logged_in.name, logged_in.last_login_at) == ("ada", clock.now)
    assert (await accounts.session("ada", logged_in.session_epoch)).name == "ada"


async def test_the_password_is_stored_by_argon2_only(
    store: Store, accounts: Accounts, database_address: str
) -> None:
    await accounts.create("ada", PASSWORD)
    written = await stored_text(database_address)
    assert "$argon2id$" in written
    assert PASSWORD not in written


async def test_the_stores_own_hashes_are_as_strong_as_the_library_recommends(
    store: Store, database: Database
) -> None:
    await store.accounts.create("ada", PASSWORD)
    assert not PasswordHasher().check_needs_rehash(await _stored_hash(database))


async def test_unknown_names_wrong_passwords_and_disabled_accounts_are_refused_alike(
    accounts: Accounts,
) -> None:
    await accounts.create("ada", PASSWORD)
    await accounts.create("bob", PASSWORD)
    await accounts.set_disabled("bob", True)
    messages = set()
    attempts = [("nobody", PASSWORD), ("ada", "wrong"), ("ada", "x" * 5000), ("bob", PASSWORD), ("", "")]
    for name, password in attempts:
        with pytest.raises(InvalidLogin) as refused:
            await accounts.log_in(name, password, "10.0.0.1")
        assert refused.value.status == 401
        messages.add(refused.value.message)
    assert len(messages) == 1


async def test_an_unknown_name_costs_a_hash_like_a_known_one(open_accounts: OpenAccounts) -> None:
    checked: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name
            checked.append(str(password))
            return super().verify(hash, password)

    accounts = open_accounts(Watched(time_cost=1, memory_cost=8, parallelism=1))
    with pytest.raises(InvalidLogin):
        await accounts.log_in("nobody", "a guess", "10.0.0.1")
    assert checked == ["a guess"]


async def test_attempts_are_limited_by_account_and_address_even_when_made_at_once(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD)
    guesses = [accounts.log_in("ada", f"guess {n}", "10.0.0.1") for n in range(20)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, InvalidLogin) for result in results) == 5
    refused = [result for result in results if isinstance(result, RateLimited)]
    assert len(refused) == 15
    assert all(refusal.code == "too_many_login_attempts" for refusal in refused)
    assert all(0 < (refusal.retry_after_seconds or 0) <= 15 * 60 for refusal in refused)
    with pytest.raises(RateLimited):
        await accounts.log_in("ada", PASSWORD, "10.0.0.1")
    assert (await accounts.log_in("ada", PASSWORD, "10.0.0.2")).name == "ada"


async def test_a_right_password_forgets_the_wrong_ones_before_it(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(InvalidLogin):
                await accounts.log_in("ada", "wrong", "10.0.0.1")
        await accounts.log_in("ada", PASSWORD, "10.0.0.1")


async def test_one_address_cannot_try_many_names_without_end(open_accounts: OpenAccounts) -> None:
    accounts = open_accounts(attempts=LoginAttempts(for_account=5, for_address=7))
    results = [
        await asyncio.gather(accounts.log_in(f"name{n}", "guess", "10.0.0.1"), return_exceptions=True)
        for n in range(8)
    ]
    assert [type(result) for (result,) in results] == [InvalidLogin] * 7 + [RateLimited]


Change = Callable[[Accounts], Awaitable[None]]


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_password("ada", "another long password"),
        lambda accounts: accounts.end_sessions("ada"),
        lambda accounts: accounts.set_role("ada", AccountRole.ADMIN),
        lambda accounts: accounts.set_disabled("ada", True),
    ],
    ids=["password", "sessions", "role", "disabled"],
)
async def test_a_change_of_the_account_ends_its_sessions(accounts: Accounts, change: Change) -> None:
    before = await accounts.create("ada", PASSWORD)
    await change(accounts)
    with pytest.raises(InvalidLogin, match="session has ended"):
        await accounts.session("ada", before.session_epoch)


async def test_a_session_of_an_unknown_account_is_refused(accounts: Accounts) -> None:
    with pytest.raises(InvalidLogin):
        await accounts.session("ghost", 0)


async def test_a_new_password_replaces_the_old_one(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD)
    await accounts.set_password("ada", "another long password")
    with pytest.raises(InvalidLogin):
        await accounts.log_in("ada", PASSWORD, "10.0.0.1")
    await accounts.log_in("ada", "another long password", "10.0.0.1")


async def test_a_hash_with_weaker_settings_is_replaced_at_the_next_login(
    open_accounts: OpenAccounts, database: Database
) -> None:
    await open_accounts().create("ada", PASSWORD)
    stronger = open_accounts(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await stronger.log_in("ada", PASSWORD, "10.0.0.1")
    assert "m=16,t=2" in await _stored_hash(database)
    await stronger.log_in("ada", PASSWORD, "10.0.0.1")


async def test_the_last_admin_stays(accounts: Accounts) -> None:
    assert not await accounts.has_admin()
    await accounts.create("ada", PASSWORD, AccountRole.ADMIN)
    for change in (accounts.set_role("ada", AccountRole.MEMBER), accounts.set_disabled("ada", True)):
        with pytest.raises(InvalidRequest, match="last admin"):
            await change
    assert await accounts.has_admin()
    assert (await accounts.get("ada")).session_epoch == 0
    await accounts.create("bob", PASSWORD, AccountRole.ADMIN)
    await accounts.set_role("ada", AccountRole.MEMBER)
    assert [(account.name, account.is_admin) for account in await accounts.list()] == [
        ("ada", False),
        ("bob", True),
    ]


@pytest.mark.parametrize("name", ["", "  ", "a b", "local", "LOCAL", "-x", "ä", "x" * 65, "a\nb", "a/b"])
async def test_a_malformed_or_reserved_name_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await accounts.create(name, PASSWORD)
    assert refused.value.param == "name"


async def test_a_name_is_taken_once(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD)
    with pytest.raises(InvalidRequest, match="already"):
        await accounts.create("ADA", PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "123456789", "x" * 1025])
async def test_a_password_of_the_wrong_length_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await accounts.create("ada", password)
    assert refused.value.param == "password"


async def test_an_unknown_account_is_named_as_such(accounts: Accounts) -> None:
    for action in (accounts.get, accounts.end_sessions):
        with pytest.raises(NotFound, match="no account of this name"):
            await action("ghost")


async def test_an_account_speaks_for_itself_on_the_page(accounts: Accounts) -> None:
    caller = (await accounts.create("ada", PASSWORD)).caller
    assert (caller.scope, caller.account, caller.key_id, caller.is_admin) == (
        "account:ada",
        "ada",
        None,
        False,
    )
