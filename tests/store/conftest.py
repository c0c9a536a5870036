from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.clock import Clock
from workbench.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database_address(tmp_path: Path) -> str:
    return str(tmp_path / "workbench.db")


@pytest.fixture
async def store(database_address: str, clock: Clock) -> AsyncIterator[Store]:
    async with await Store.open(database_address, clock=clock) as opened:
        yield opened
