"""Keys of remote endpoints that an operator stored: ciphertext in the database, its key in the home folder."""

from __future__ import annotations

import asyncio

from workbench.core.errors import InvalidRequest
from workbench.core.settings import Settings
from workbench.store import FILE_NAME, Store
from workbench.store.vault import Vault

_LONGEST = 4096


class StoredKeys:
    """Sets and reads them. A model that is loaded goes on with the key it had until it is loaded again."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.database_url or settings.home / FILE_NAME
        self._vault = Vault(settings.home)

    async def put(self, store: Store, model: str, key: str) -> None:
        """Keeps the key for the model. Raises: InvalidRequest for what can be no key."""
        key = key.strip()
        if not key or len(key) > _LONGEST or not key.isascii() or not key.isprintable():
            raise InvalidRequest(
                f"A key has 1 to {_LONGEST} printable ASCII characters. Give the key of the endpoint, on one line.",
                param="key",
            )
        await store.remote_keys.put(model, await asyncio.to_thread(self._vault.encrypt, key))

    async def get(self, store: Store, model: str) -> str | None:
        """The model's key, or None. Raises: ConfigurationError when it cannot be decrypted."""
        ciphertext = await store.remote_keys.get(model)
        return None if ciphertext is None else await asyncio.to_thread(self._vault.decrypt, ciphertext)

    def read(self, model: str) -> str | None:
        """The same, blocking, over a store opened for it: for the thread in which a model is loaded."""
        if not self._vault.has_key:
            return None

        async def read() -> str | None:
            async with await Store.open(self._address) as store:
                return await self.get(store, model)

        return asyncio.run(read())
