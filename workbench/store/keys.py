"""API keys: made, listed, rotated, revoked, and recognised on every request."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update

from workbench.core.access import KeyKind
from workbench.core.caller import Caller, CallerLimits
from workbench.core.errors import InvalidApiKey, InvalidRequest, NotFound
from workbench.store import key_text
from workbench.store.database import AnyRow, Database
from workbench.store.tables import keys

LOCAL_ACCOUNT = "local"
"""The one user of a server bound to loopback, who has no row among the accounts."""

WHERE_TO_MAKE_ONE = "Make one on the Account page or with `workbench keys create`."

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made or rotated. `secret` is shown once and kept nowhere; repr leaves it out."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key.

    `prefix` is the start of its text after `wb-`. `models` are the catalogue ids it may use, None for all.
    `moderation` is what it asks of the guard at the least (`score` or `block`), None for nothing. After a
    rotation the secret before it works until `previous_until`. A disabled key opens nothing until it is enabled
    again; a revoked one never. `last_used_at` is exact to a minute.
    """

    id: str
    name: str
    kind: KeyKind
    account: str
    prefix: str
    models: frozenset[str] | None
    limits: CallerLimits
    moderation: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    previous_until: datetime | None
    disabled_at: datetime | None = None

    @property
    def caller(self) -> Caller:
        """Who asks with this key."""
        return Caller(
            scope=self.id,
            account=self.account,
            key_id=self.id,
            is_admin=self.kind is KeyKind.ADMIN,
            models=self.models,
            limits=self.limits,
            moderation=self.moderation,
        )

    def is_active(self, now: datetime) -> bool:
        """True when the key opens anything at that moment."""
        return self.is_alive(now) and self.disabled_at is None

    def is_alive(self, now: datetime) -> bool:
        """True when the key opens something, or would once it is enabled."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def _record(row: AnyRow) -> KeyRecord:
    values = row._mapping
    return KeyRecord(
        id=values["id"],
        name=values["name"],
        kind=KeyKind(values["kind"]),
        account=values["account"],
        prefix=values["prefix"],
        models=None if values["models"] is None else frozenset(values["models"]),
        limits=CallerLimits(values["concurrency"], values["requests_per_minute"], values["tokens_per_day"]),
        moderation=values["moderation"],
        created_at=values["created_at"],
        expires_at=values["expires_at"],
        revoked_at=values["revoked_at"],
        last_used_at=values["last_used_at"],
        previous_until=values["previous_until"],
        disabled_at=values["disabled_at"],
    )


def _secret_columns(secret: str) -> dict[str, str]:
    return {"secret_hash": key_text.digest(secret), "prefix": key_text.prefix(secret)}


def _limit_columns(limits: CallerLimits) -> dict[str, int | None]:
    columns = asdict(limits)
    for name, value in columns.items():
        if value is not None and value < 1:
            raise InvalidRequest("A key's limit must be at least 1, or absent for none.", param=name)
    return columns


def _invalid(reason: str, secret: str) -> InvalidApiKey:
    return InvalidApiKey(f"Invalid API key: {key_text.masked(secret)} {reason}. {WHERE_TO_MAKE_ONE}")


_ANY = select(keys.c.id).limit(1)
_BY_ID = select(keys).where(keys.c.id == bindparam("id"))
_BY_HASH = select(keys).where(
    (keys.c.secret_hash == bindparam("hash")) | (keys.c.previous_hash == bindparam("hash"))
)


class Keys:
    """The table of keys.

    `clock` gives the moment in UTC. `on_use` is told the id and moment of a key's use, at most once a minute.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], on_use: Callable[[str, datetime], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_use = on_use

    async def create(
        self,
        *,
        name: str,
        kind: KeyKind = KeyKind.INFERENCE,
        account: str = LOCAL_ACCOUNT,
        expires: timedelta | None = None,
        models: Collection[str] | None = None,
        limits: CallerLimits | None = None,
        moderation: str | None = None,
    ) -> NewKey:
        """A new key. `expires` counts from this moment; None lets it live until it is revoked.

        Raises: InvalidRequest for a name that is empty or too long, a limit below 1, or an expiry not ahead.
        """
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise InvalidRequest(f"A key needs a name of 1 to {_LONGEST_NAME} characters.", param="name")
        if expires is not None and expires <= timedelta(0):
            raise InvalidRequest("A key must expire in the future.", param="expires")
        now = self._clock()
        made = NewKey(id=f"key_{secrets.token_hex(6)}", secret=key_text.new_secret())
        row = {
            "id": made.id,
            "name": name.strip(),
            "kind": kind.value,
            "account": account,
            "models": None if models is None else sorted(models),
            "moderation": moderation,
            "created_at": now,
            "expires_at": None if expires is None else now + expires,
            **_secret_columns(made.secret),
            **_limit_columns(limits or CallerLimits()),
        }
        await self._database.write(lambda connection: connection.execute(insert(keys).values(row)))
        return made

    async def list(self, account: str | None = None) -> Sequence[KeyRecord]:
        """Every key, or an account's, oldest first; revoked and expired ones too."""
        query = select(keys).order_by(keys.c.created_at, keys.c.id)
        if account is not None:
            query = query.where(keys.c.account == account)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_record(row) for row in rows]

    async def get(self, key_id: str) -> KeyRecord:
        """One key.

        Raises: NotFound.
        """
        row = await self._database.lookup(_BY_ID, {"id": key_id})
        if row is None:
            raise NotFound("There is no key with this id. `workbench keys list` shows them.", param="id")
        return _record(row)

    async def is_empty(self) -> bool:
        """True when no key was ever made."""
        return await self._database.lookup(_ANY, {}) is None

    async def rotate(self, key_id: str, grace: timedelta = timedelta(0)) -> NewKey:
        """A new secret for the key; the one before it works for `grace` longer, an older one no more.

        Raises: NotFound; InvalidRequest when the key is revoked or expired, or `grace` is negative.
        """
        if grace < timedelta(0):
            raise InvalidRequest("The grace period cannot be negative.", param="grace")
        now = self._clock()
        if not (await self.get(key_id)).is_alive(now):
            raise InvalidRequest("A revoked or expired key cannot be rotated. Make a new one.", param="id")
        made = NewKey(id=key_id, secret=key_text.new_secret())
        keeps_previous = grace > timedelta(0)
        change = (
            update(keys)
            .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
            .values(
                previous_hash=keys.c.secret_hash if keeps_previous else None,
                previous_until=now + grace if keeps_previous else None,
                **_secret_columns(made.secret),
            )
        )
        if await self._database.write(lambda connection: connection.execute(change).rowcount) == 0:
            raise InvalidRequest("The key was revoked meanwhile. Make a new one.", param="id")
        return made

    async def revoke(self, key_id: str) -> None:
        """The key opens nothing from the next request on. Revoking it again changes nothing.

        Raises: NotFound.
        """
        await self.get(key_id)
        change = (
            update(keys)
            .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
            .values(revoked_at=self._clock())
        )
        await self._database.write(lambda connection: connection.execute(change))

    async def set_disabled(self, key_id: str, is_disabled: bool) -> None:
        """A disabled key opens nothing from the next request on, an enabled one what it did before.

        Raises: NotFound.
        """
        await self.get(key_id)
        moment = self._clock() if is_disabled else None
        change = update(keys).where(keys.c.id == key_id).values(disabled_at=moment)
        await self._database.write(lambda connection: connection.execute(change))

    async def set_limits(self, key_id: str, limits: CallerLimits) -> None:
        """Other limits for the key, from the next request on.

        Raises: NotFound; InvalidRequest for a limit below 1.
        """
        await self.get(key_id)
        change = update(keys).where(keys.c.id == key_id).values(**_limit_columns(limits))
        await self._database.write(lambda connection: connection.execute(change))

    async def authenticate(
        self, secret: str | None, kinds: Collection[KeyKind] = (KeyKind.INFERENCE,)
    ) -> KeyRecord:
        """The key with this text, asked of the database each time: what another process did counts at once.

        Raises: InvalidApiKey when there is none, or it is revoked, expired, or of no kind among `kinds`.
        """
        if not secret:
            raise InvalidApiKey(
                f"Invalid API key: none was sent. Send `Authorization: Bearer KEY`. {WHERE_TO_MAKE_ONE}"
            )
        now, hashed = self._clock(), key_text.digest(secret)
        found = await self._find(hashed, now)
        if found is None:
            raise _invalid("is not known here", secret)
        if found.revoked_at is not None:
            raise _invalid("was revoked", secret)
        if found.disabled_at is not None:
            raise _invalid("is disabled; its owner can enable it on the Account page", secret)
        if not found.is_active(now):
            raise _invalid("has expired", secret)
        if found.kind not in kinds:
            raise _invalid(
                f"is of the kind {found.kind}, and this needs {' or '.join(sorted(kinds))}", secret
            )
        if found.last_used_at is None or now - found.last_used_at >= timedelta(minutes=1):
            self._on_use(found.id, now)
        return found

    async def _find(self, hashed: str, now: datetime) -> KeyRecord | None:
        row = await self._database.lookup(_BY_HASH, {"hash": hashed})
        if row is None:
            return None
        values = row._mapping
        if hmac.compare_digest(values["secret_hash"], hashed):
            return _record(row)
        until = values["previous_until"]
        is_previous = hmac.compare_digest(values["previous_hash"] or "", hashed)
        return _record(row) if is_previous and until is not None and now < until else None
