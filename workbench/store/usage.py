"""Who used how much: requests, tokens and credits by day, key and model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select

from workbench.core.caller import Caller
from workbench.core.chat import Usage
from workbench.store.database import Database
from workbench.store.ledger import Counts, Ledger, Line
from workbench.store.tables import usage

_TOKENS_OF_A_DAY = select(
    func.coalesce(func.sum(usage.c.prompt_tokens + usage.c.completion_tokens), 0).label("tokens")
).where(
    usage.c.day == bindparam("of_day"),
    usage.c.account == bindparam("of_account"),
    usage.c.key_id == bindparam("of_key"),
)


def cost_in_credits(tokens: int, price_per_million_tokens: float | None) -> float:
    """What the tokens cost, in credits: tokens x the model's price. Without a price, nothing."""
    return tokens * (price_per_million_tokens or 0.0) / 1_000_000


@dataclass(frozen=True, slots=True)
class DayOfUse:
    """One model's use by one key in one UTC day. `key_id` is None for what the account did on the page."""

    day: date
    account: str
    key_id: str | None
    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    credits: float


class UsageRecords:
    """The table of usage. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

    async def add(
        self, caller: Caller, model: str, used: Usage, price_per_million_tokens: float | None = None
    ) -> bool:
        """Counts one request that ended, whole or cut short.

        Returns once it survives the death of this process: True; or False when the database could not be written,
        and it is tried again. `model` is a catalogue id. A caller cancelled while it waits is counted all the same.
        """
        line = Line(self._clock().date(), caller.account, caller.key_id or "", model)
        cost = cost_in_credits(used.total_tokens, price_per_million_tokens)
        return await self._ledger.count(line, Counts(1, used.prompt_tokens, used.completion_tokens, cost))

    async def by_day(
        self, since: date, *, account: str | None = None, key_id: str | None = None
    ) -> Sequence[DayOfUse]:
        """Use from `since` on, oldest first; of everybody, or an account's or a key's own."""
        await self._ledger.flush()
        query = select(usage).where(usage.c.day >= since).order_by(*usage.primary_key.columns)
        if account is not None:
            query = query.where(usage.c.account == account)
        if key_id is not None:
            query = query.where(usage.c.key_id == key_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [DayOfUse(**{**row._mapping, "key_id": row.key_id or None}) for row in rows]

    async def tokens_today(self, caller: Caller) -> int:
        """Prompt and completion tokens the caller's key (or page) has used since midnight UTC."""
        await self._ledger.flush()
        line = {
            "of_day": self._clock().date(),
            "of_account": caller.account,
            "of_key": caller.key_id or "",
        }
        found = await self._database.lookup(_TOKENS_OF_A_DAY, line)
        return 0 if found is None else int(found.tokens)
