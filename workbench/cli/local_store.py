"""This machine's store, for commands that act on it beside a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from workbench.store import Store

Result = TypeVar("Result")


def with_store(work: Callable[[Store], Awaitable[Result]]) -> Result:
    """What `work` gives on this machine's store. Raises: a WorkbenchError."""
    from workbench.store import FILE_NAME, Store

    settings = read_settings()

    async def run() -> Result:
        async with await Store.open(settings.database_url or settings.home / FILE_NAME) as store:
            return await work(store)

    return asyncio.run(run())
