"""Votes of the arena: who was better in a blind pair. Never the question, never the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from workbench.store.database import Database
from workbench.store.tables import votes


@dataclass(frozen=True, slots=True)
class StoredVote:
    """One vote. `left` and `right` are catalogue ids as they stood; `outcome` is left, right, tie or both_bad."""

    at: datetime
    account: str
    left: str
    right: str
    outcome: str


class Votes:
    """The table of votes; lines are only ever added. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def add(self, account: str, left: str, right: str, outcome: str) -> None:
        """Records a vote."""
        row = {"at": self._clock(), "account": account, "left": left, "right": right, "outcome": outcome}
        await self._database.write(lambda connection: connection.execute(insert(votes).values(row)))

    async def of(self, account: str) -> Sequence[StoredVote]:
        """The account's votes, oldest first."""
        query = select(votes).where(votes.c.account == account).order_by(votes.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [StoredVote(row.at, row.account, row.left, row.right, row.outcome) for row in rows]
