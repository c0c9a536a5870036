from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.store.clock import Clock
from tests.store.postgres_server import NoPostgres, postgres_server
from workbench.store import Store

_numbers = count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def _open_and_close(address: str) -> None:
    await (await Store.open(address)).close()


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes a file of the newest version, copied from one that was migrated once."""
    folder = tmp_path_factory.mktemp("sqlite")
    asyncio.run(_open_and_close(str(folder / "template.db")))

    def make() -> str:
        own = folder / str(next(_numbers))
        own.mkdir()
        return str(shutil.copy(folder / "template.db", own / "workbench.db"))

    return make


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL's driver is not here: pip install 'model-workbench[postgres]'")
    try:
        with postgres_server() as address:
            yield address
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def empty_postgres(postgres_address: str) -> Callable[[], str]:
    """Makes a database without tables."""
    import psycopg

    def make(template: str = "template1") -> str:
        name = f"workbench_{next(_numbers)}"
        with psycopg.connect(postgres_address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return urlsplit(postgres_address)._replace(path=f"/{name}").geturl()

    return make


@pytest.fixture(scope="session")
def new_postgres(empty_postgres: Callable[..., str]) -> Callable[[], str]:
    """Makes a database of the newest version, copied from one that was migrated once."""
    template = empty_postgres()
    asyncio.run(_open_and_close(template))
    return lambda: empty_postgres(urlsplit(template).path.lstrip("/"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_address(request: pytest.FixtureRequest) -> str:
    """The address of a database of the newest version, of each kind in turn."""
    make: Callable[[], str] = request.getfixturevalue(
        {"sqlite": "new_sqlite", "postgresql": "new_postgres"}[request.param]
    )
    return make()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, of each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "workbench.db")
    make: Callable[[], str] = request.getfixturevalue("empty_postgres")
    return make()


@pytest.fixture
async def store(database_address: str, clock: Clock) -> AsyncIterator[Store]:
    async with await Store.open(database_address, clock=clock) as opened:
        yield opened
