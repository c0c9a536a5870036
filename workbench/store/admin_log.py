"""What admins did: who, when, what, to which key, account, model or request. Never any content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from workbench.store.database import Database
from workbench.store.tables import admin_log


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One line of the log. `action` is a verb such as `key.revoke`; `subject` an id or a name."""

    at: datetime
    actor: str
    action: str
    subject: str


class AdminLog:
    """The table of admins' actions; lines are only ever added. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def add(self, actor: str, action: str, subject: str) -> None:
        """Records an action."""
        row = {"at": self._clock(), "actor": actor, "action": action, "subject": subject[:255]}
        await self._database.write(lambda connection: connection.execute(insert(admin_log).values(row)))

    async def newest(self, limit: int = 200) -> Sequence[AdminAction]:
        """The last actions, newest first."""
        query = select(admin_log).order_by(admin_log.c.id.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [AdminAction(row.at, row.actor, row.action, row.subject) for row in rows]
