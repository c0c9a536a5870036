"""Experiments that were run: what was compared, when, and the verdict. Prompts and answers stay in their folder."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, insert, select, update

from workbench.core.errors import NotFound
from workbench.store.database import AnyRow, Database
from workbench.store.tables import experiments


class ExperimentState(StrEnum):
    """How far an experiment came. INTERRUPTED: the process that ran it is gone."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment's record. `models` are catalogue ids; `folder` holds its report and samples."""

    id: str
    name: str
    account: str
    models: tuple[str, ...]
    spec_hash: str
    folder: str
    state: ExperimentState
    verdict: str | None
    samples: int
    begun_at: datetime
    ended_at: datetime | None


_BY_ID = select(experiments).where(experiments.c.id == bindparam("id"))


def _experiment(row: AnyRow) -> Experiment:
    values = dict(row._mapping)
    return Experiment(
        **{**values, "models": tuple(values["models"]), "state": ExperimentState(values["state"])}
    )


class Experiments:
    """The table of experiments. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def begin(
        self, *, name: str, account: str, models: Sequence[str], spec_hash: str, folder: str
    ) -> Experiment:
        """A record of an experiment that runs now."""
        row = {
            "id": f"exp_{secrets.token_hex(6)}",
            "name": name[:200],
            "account": account,
            "models": list(models),
            "spec_hash": spec_hash,
            "folder": folder,
            "state": ExperimentState.RUNNING.value,
            "samples": 0,
            "begun_at": self._clock(),
        }
        await self._database.write(lambda connection: connection.execute(insert(experiments).values(row)))
        return await self.get(str(row["id"]))

    async def end(
        self, experiment_id: str, state: ExperimentState, *, samples: int = 0, verdict: str | None = None
    ) -> Experiment:
        """The record of an experiment that ended.

        Raises: NotFound.
        """
        change = (
            update(experiments)
            .where(experiments.c.id == experiment_id)
            .values(state=state.value, samples=samples, verdict=verdict, ended_at=self._clock())
        )
        await self._database.write(lambda connection: connection.execute(change))
        return await self.get(experiment_id)

    async def mark_interrupted(self) -> int:
        """Ends the records of experiments that were running; for a process that starts. How many there were."""
        change = (
            update(experiments)
            .where(experiments.c.state == ExperimentState.RUNNING.value)
            .values(state=ExperimentState.INTERRUPTED.value, ended_at=self._clock())
        )
        return await self._database.write(lambda connection: connection.execute(change).rowcount)

    async def get(self, experiment_id: str) -> Experiment:
        """One record.

        Raises: NotFound.
        """
        row = await self._database.lookup(_BY_ID, {"id": experiment_id})
        if row is None:
            raise NotFound("There is no experiment with this id.", param="id")
        return _experiment(row)

    async def list(self, account: str | None = None) -> Sequence[Experiment]:
        """Every record, or an account's, newest first."""
        query = select(experiments).order_by(experiments.c.begun_at.desc(), experiments.c.id)
        if account is not None:
            query = query.where(experiments.c.account == account)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_experiment(row) for row in rows]
