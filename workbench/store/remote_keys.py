"""The keys of remote endpoints, encrypted, by the model's id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from workbench.store.database import Database
from workbench.store.tables import remote_keys


class RemoteKeys:
    """The table of ciphertexts. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def put(self, model: str, ciphertext: bytes) -> None:
        """Keeps the model's key in place of the one it had."""
        row = {"model": model, "ciphertext": ciphertext, "set_at": self._clock()}

        def replace(connection: Connection) -> None:
            connection.execute(delete(remote_keys).where(remote_keys.c.model == model))
            connection.execute(insert(remote_keys).values(row))

        await self._database.write(replace)

    async def get(self, model: str) -> bytes | None:
        """The model's ciphertext, or None."""
        query = select(remote_keys.c.ciphertext).where(remote_keys.c.model == model)
        found = await self._database.read(lambda connection: connection.execute(query).scalar())
        return None if found is None else bytes(found)

    async def delete(self, model: str) -> bool:
        """Forgets the model's key; False when it had none."""
        query = delete(remote_keys).where(remote_keys.c.model == model)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)

    async def models(self) -> Sequence[str]:
        """The models that have a key, in order."""
        query = select(remote_keys.c.model).order_by(remote_keys.c.model)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [str(model) for model in rows]
