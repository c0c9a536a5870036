"""What an account may see and do about keys, use and other accounts.

A member sees and changes what is its own. An admin sees everybody's, and what an admin does to others is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from workbench.core.access import AccountRole
from workbench.core.caller import Caller, CallerLimits
from workbench.core.errors import Forbidden, NotFound
from workbench.store import Account, DayOfUse, KeyRecord, NewKey, Store

"""Where wrong old passwords come from, as the counter of log-in attempts sees it."""


@dataclass(frozen=True, slots=True)
class KeyWish:
    """A key that is to be made. `expires` None: it lives until it is revoked. `models` None: all."""

    name: str
    expires: timedelta | None = None
    models: Collection[str] | None = None
    limits: CallerLimits = field(default_factory=CallerLimits)


class AccountDesk:
    """The rules over the store. `store` gives it, or raises Unavailable on a server without one."""

    def __init__(self, store: Callable[[], Store], today: Callable[[], date] | None = None) -> None:
        self._store = store
        self._today = today or (lambda: datetime.now(UTC).date())

    async def keys(self, caller: Caller, *, of_everybody: bool = False) -> Sequence[KeyRecord]:
        """The caller's keys, or everybody's, newest first. Raises: Forbidden for everybody's without an admin."""
        _require(caller, is_admin_needed=of_everybody)
        found = await self._store().keys.list(None if of_everybody else caller.account)
        return found[::-1]

    async def create_key(self, caller: Caller, wish: KeyWish) -> NewKey:
        """A new inference key of the caller's account; its secret is shown this once.

        Raises: Forbidden for a model that the caller may not use; InvalidRequest for a wrong name, limit or expiry.
        """
        if wish.models is not None and not all(caller.may_use(model) for model in wish.models):
            raise Forbidden("A key cannot reach further than the account it belongs to.", param="models")
        return await self._store().keys.create(
            name=wish.name,
            account=caller.account,
            expires=wish.expires,
            models=wish.models,
            limits=wish.limits,
        )

    async def rotate_key(self, caller: Caller, key_id: str, grace: timedelta) -> NewKey:
        """Another secret for a key; the one before works for `grace` longer. Raises: NotFound, InvalidRequest."""
        await self._key(caller, key_id)
        made = await self._store().keys.rotate(key_id, grace)
        await self._record(caller, "key.rotate", key_id)
        return made

    async def revoke_key(self, caller: Caller, key_id: str) -> None:
        """The key opens nothing from the next request on. Raises: NotFound."""
        await self._key(caller, key_id)
        await self._store().keys.revoke(key_id)
        await self._record(caller, "key.revoke", key_id)

    async def set_key_disabled(self, caller: Caller, key_id: str, is_disabled: bool) -> None:
        """The key opens nothing until it is enabled again. Raises: NotFound."""
        await self._key(caller, key_id)
        await self._store().keys.set_disabled(key_id, is_disabled)
        await self._record(caller, "key.disable" if is_disabled else "key.enable", key_id)

    async def set_key_limits(self, caller: Caller, key_id: str, limits: CallerLimits) -> None:
        """Other limits, from the next request on. Raises: NotFound; InvalidRequest for a limit below 1."""
        await self._key(caller, key_id)
        await self._store().keys.set_limits(key_id, limits)
        await self._record(caller, "key.limits", key_id)

    async def usage(self, caller: Caller, days: int, *, of_everybody: bool = False) -> Sequence[DayOfUse]:
        """Use of the last `days` UTC days, today included. Raises: Forbidden for everybody's without an admin."""
        _require(caller, is_admin_needed=of_everybody)
        since = self._today() - timedelta(days=days - 1)
        return await self._store().usage.by_day(since, account=None if of_everybody else caller.account)

    async def accounts(self, caller: Caller) -> Sequence[Account]:
        """Every account, by name. Raises: Forbidden."""
        _require(caller, is_admin_needed=True)
        return await self._store().accounts.list()

    async def create_account(self, caller: Caller, name: str, password: str, role: AccountRole) -> Account:
        """A new account. Raises: Forbidden; InvalidRequest for a name that is taken or no name, or a short password."""
        _require(caller, is_admin_needed=True)
        made = await self._store().accounts.create(name, password, role)
        await self._record(caller, "account.create", made.name)
        return made

    async def reset_password(self, caller: Caller, name: str, password: str) -> None:
        """Another password for an account that lost its own. Raises: Forbidden, NotFound, InvalidRequest."""
        _require(caller, is_admin_needed=True)
        await self._store().accounts.set_password(name, password)
        await self._record(caller, "account.password", name)

    async def set_role(self, caller: Caller, name: str, role: AccountRole) -> None:
        """Another role; sessions of the account end. Raises: Forbidden, NotFound; InvalidRequest for the last admin."""
        _require(caller, is_admin_needed=True)
        await self._store().accounts.set_role(name, role)
        await self._record(caller, f"account.{role.value}", name)

    async def set_disabled(self, caller: Caller, name: str, is_disabled: bool) -> None:
        """Closes an account with all its keys, or opens it again; its keys stay revoked.

        Raises: Forbidden, NotFound; InvalidRequest when no admin would be left.
        """
        _require(caller, is_admin_needed=True)
        store = self._store()
        await store.accounts.set_disabled(name, is_disabled)
        if is_disabled:
            for key in await store.keys.list((await store.accounts.get(name)).name):
                await store.keys.revoke(key.id)
        await self._record(caller, "account.disable" if is_disabled else "account.enable", name)

    async def _key(self, caller: Caller, key_id: str) -> KeyRecord:
        """The key, if it is the caller's to change. Raises: NotFound, as for a key that does not exist."""
        found = await self._store().keys.get(key_id)
        if found.account != caller.account and not caller.is_admin:
            raise NotFound("There is no key with this id among yours.", param="id")
        return found

    async def _record(self, caller: Caller, action: str, subject: str) -> None:
        if caller.is_admin:
            await self._store().admin_log.add(caller.account, action, subject)


def _require(caller: Caller, *, is_admin_needed: bool) -> None:
    """Raises: Forbidden for what only an admin may do."""
    if is_admin_needed and not caller.is_admin:
        raise Forbidden("Only an admin of this server may do that.")
