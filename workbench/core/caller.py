"""Who is asking: the one identity that page, API and command line hand to the service."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """A key's own limits; None leaves the server's."""

    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    `scope` bounds prefix reuse and fair share: the key's id, or the account's for the page. `models` None
    allows all. `moderation` is how its key wants every call screened at the least: score, block, or None.
    """

    scope: str
    account: str = "local"
    key_id: str | None = None
    is_admin: bool = False
    models: frozenset[str] | None = None
    limits: CallerLimits = field(default_factory=CallerLimits)
    moderation: str | None = None

    def may_use(self, model: str) -> bool:
        """True when the key's scope includes this model."""
        return self.models is None or model in self.models


LOCAL_USER = Caller(scope="account:local", account="local", is_admin=True)
