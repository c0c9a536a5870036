"""Accounts: made, logged in, and the sessions that a change ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.core.access import AccountRole
from workbench.core.caller import Caller
from workbench.core.errors import InvalidLogin, InvalidRequest, NotFound
from workbench.store.database import AnyRow, Database
from workbench.store.keys import LOCAL_ACCOUNT
from workbench.store.login_attempts import LoginAttempts
from workbench.store.passwords import Passwords
from workbench.store.tables import accounts

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account. A session holds for as long as `session_epoch` stays what it was."""

    name: str
    role: AccountRole
    session_epoch: int
    created_at: datetime
    disabled_at: datetime | None
    last_login_at: datetime | None

    @property
    def is_admin(self) -> bool:
        """True when it decides about others."""
        return self.role is AccountRole.ADMIN

    @property
    def caller(self) -> Caller:
        """Who asks from a page where this account is logged in."""
        return Caller(scope=f"account:{self.name}", account=self.name, is_admin=self.is_admin)


def _account(row: AnyRow) -> Account:
    values = row._mapping
    return Account(
        name=values["name"],
        role=AccountRole(values["role"]),
        session_epoch=values["session_epoch"],
        created_at=values["created_at"],
        disabled_at=values["disabled_at"],
        last_login_at=values["last_login_at"],
    )


def _stored_name(name: str) -> str:
    """The name as it is kept and compared: trimmed, lower case."""
    return name.strip().lower()


_BY_NAME = select(accounts).where(accounts.c.name == bindparam("name"))

# Who can log in and decide about others.
_ADMINS = select(accounts.c.name).where(
    accounts.c.role == AccountRole.ADMIN.value, accounts.c.disabled_at.is_(None)
)


class Accounts:
    """The table of accounts. Names are compared without regard to case. `clock` gives the moment in UTC."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], passwords: Passwords, attempts: LoginAttempts
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._attempts = attempts

    async def create(self, name: str, password: str, role: AccountRole = AccountRole.MEMBER) -> Account:
        """A new account.

        Raises: InvalidRequest when the name is taken, reserved or malformed, or the password too short.
        """
        stored = _stored_name(name)
        if not _NAME.fullmatch(stored) or stored == LOCAL_ACCOUNT:
            raise InvalidRequest(
                "An account's name has 1 to 64 letters, digits and . _ - @ +, begins with a letter or digit, "
                f"and is not {LOCAL_ACCOUNT!r}.",
                param="name",
            )
        row = {
            "name": stored,
            "password_hash": await self._passwords.hashed(password),
            "role": role.value,
            "session_epoch": 0,
            "created_at": self._clock(),
        }
        try:
            await self._database.write(lambda connection: connection.execute(insert(accounts).values(row)))
        except IntegrityError as failure:
            raise InvalidRequest("There is an account of this name already.", param="name") from failure
        return await self.get(stored)

    async def list(self) -> Sequence[Account]:
        """Every account, by name."""
        query = select(accounts).order_by(accounts.c.name)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_account(row) for row in rows]

    async def get(self, name: str) -> Account:
        """One account.

        Raises: NotFound.
        """
        row = await self._row(name)
        if row is None:
            raise NotFound(
                "There is no account of this name. `workbench users list` shows them.", param="name"
            )
        return _account(row)

    async def has_admin(self) -> bool:
        """True when somebody could log in and decide about others: a server may open to the network."""
        return await self._database.lookup(_ADMINS, {}) is not None

    async def log_in(self, name: str, password: str, address: str) -> Account:
        """The account, when the password is its own. `address` is where the attempt comes from.

        Raises: InvalidLogin, the same for an unknown name, a wrong password and a disabled account; RateLimited
            after too many attempts.
        """
        stored = _stored_name(name)
        await self._attempts.count(stored, address)
        row = await self._row(stored)
        known = row if row is not None and row.disabled_at is None else None
        if not await self._passwords.matches(known.password_hash if known is not None else None, password):
            raise InvalidLogin
        await self._attempts.forget(stored, address)
        changes: dict[str, object] = {"last_login_at": self._clock()}
        if known is not None and self._passwords.is_outdated(known.password_hash):
            changes["password_hash"] = await self._passwords.hashed(password)
        change = update(accounts).where(accounts.c.name == stored).values(changes)
        await self._database.write(lambda connection: connection.execute(change))
        return await self.get(stored)

    async def session(self, name: str, epoch: int) -> Account:
        """The account of a session begun at `epoch`, asked of the database each time.

        Raises: InvalidLogin when the account is gone or disabled, or its sessions were ended since.
        """
        row = await self._row(name)
        if row is None or row.disabled_at is not None or row.session_epoch != epoch:
            raise InvalidLogin("The session has ended. Log in again.")
        return _account(row)

    async def set_password(self, name: str, password: str) -> Account:
        """The account with another password; every session of it ends.

        Raises: NotFound; InvalidRequest when the password is too short.
        """
        await self._change(name, password_hash=await self._passwords.hashed(password))
        return await self.get(name)

    async def end_sessions(self, name: str) -> None:
        """Every session of the account ends. Raises: NotFound."""
        await self._change(name)

    async def set_role(self, name: str, role: AccountRole) -> None:
        """Another role; sessions end, so that none goes on with the old one.

        Raises: NotFound; InvalidRequest when no admin would be left.
        """
        await self._change(name, role=role.value)

    async def set_disabled(self, name: str, is_disabled: bool) -> None:
        """Nobody logs in as a disabled account, and its sessions end. Its keys are revoked apart.

        Raises: NotFound; InvalidRequest when no admin would be left.
        """
        await self._change(name, disabled_at=self._clock() if is_disabled else None)

    async def _row(self, name: str) -> AnyRow | None:
        return await self._database.lookup(_BY_NAME, {"name": _stored_name(name)})

    async def _change(self, name: str, **values: object) -> None:
        stored = _stored_name(name)
        await self.get(stored)
        change = update(accounts).where(accounts.c.name == stored)
        change = change.values(session_epoch=accounts.c.session_epoch + 1, **values)

        def work(connection: Connection) -> None:
            admins = connection.execute(_ADMINS.with_for_update()).all()
            connection.execute(change)
            if admins and connection.execute(_ADMINS).first() is None:
                raise InvalidRequest("This is the last admin. Make another one first.", param="name")

        await self._database.write(work)
