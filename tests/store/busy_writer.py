"""A process that writes to a store without pause and says on standard output what was acknowledged.

python -m tests.store.busy_writer ADDRESS
"""

from __future__ import annotations

import asyncio
import sys

from workbench.core.caller import Caller
from workbench.core.chat import Usage
from workbench.store import Store

WRITERS = 4
USER = Caller("k", account="ada", key_id="k")


def _acknowledge(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def _write(store: Store) -> None:
    while True:
        kept = await store.keys.create(name="kept")
        _acknowledge("kept", kept.secret)
        gone = await store.keys.create(name="gone")
        await store.keys.revoke(gone.id)
        _acknowledge("revoked", gone.secret)
        for _ in range(4):
            if await store.usage.add(USER, "m", Usage(1, 1)):
                _acknowledge("counted")


async def _main(address: str) -> None:
    _acknowledge("opening")
    store = await Store.open(address)
    await asyncio.gather(*(_write(store) for _ in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
