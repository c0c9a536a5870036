from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from workbench.core.errors import ConfigurationError
from workbench.store import Store
from workbench.store.keys import Keys
from workbench.store.migrations import HEAD
from workbench.store.opening import open_database
from workbench.store.store import utc_now
from workbench.store.tables import metadata
from workbench.store.upgrade import current_version, migration_config, upgrade

VERSIONS = [script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()][
    ::-1
]


def test_the_head_known_without_alembic_is_the_last_migration() -> None:
    assert VERSIONS[-1] == HEAD
    assert ScriptDirectory.from_config(migration_config()).get_heads() == [HEAD]


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_store_of_every_earlier_version_reaches_the_tables_of_today(
    empty_address: str, version: str
) -> None:
    database = open_database(empty_address)
    try:
        await upgrade(database, version)
        assert await database.read(current_version) == version
        await upgrade(database)
        assert await database.read(current_version) == HEAD
        assert await database.read(_differences) == []
    finally:
        await database.close()


async def test_a_key_made_by_the_first_version_still_opens(empty_address: str) -> None:
    database = open_database(empty_address)
    await upgrade(database, VERSIONS[0])
    made = await Keys(database, utc_now, lambda _key, _moment: None).create(name="old")
    await database.close()
    async with await Store.open(empty_address) as opened:
        assert (await opened.keys.authenticate(made.secret)).name == "old"


async def test_every_migration_can_be_taken_back(empty_address: str) -> None:
    def take_back(connection: Connection) -> list[str]:
        config = migration_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return inspect(connection).get_table_names()

    database = open_database(empty_address)
    await upgrade(database)
    assert await database.write(take_back) == ["alembic_version"]
    await upgrade(database)
    assert await database.read(_differences) == []
    await database.close()


async def test_stores_that_open_a_new_database_together_all_open(empty_address: str) -> None:
    stores = await asyncio.gather(*(Store.open(empty_address) for _ in range(8)))
    try:
        made = await stores[0].keys.create(name="shared")
        assert [(await store.keys.list())[0].id for store in stores] == [made.id] * 8
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_rows_survive_opening_again(empty_address: str) -> None:
    async with await Store.open(empty_address) as first:
        made = await first.keys.create(name="kept")
    async with await Store.open(empty_address) as second:
        assert (await second.keys.authenticate(made.secret)).name == "kept"


async def test_a_database_of_a_newer_workbench_is_left_alone(empty_address: str) -> None:
    await (await Store.open(empty_address)).close()
    database = open_database(empty_address)
    await database.write(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )
    await database.close()
    with pytest.raises(ConfigurationError, match="newer Workbench"):
        await Store.open(empty_address)


async def test_a_server_that_does_not_answer_is_named_with_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read.*WORKBENCH_DATABASE_URL"):
        await Store.open("postgres://nobody@127.0.0.1:1/none")


async def test_a_file_that_is_no_database_is_named_with_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "workbench.db"
    file.write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    with pytest.raises(ConfigurationError, match="Move a damaged file away"):
        await Store.open(file)


async def test_a_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="point WORKBENCH_HOME elsewhere"):
        await Store.open(tmp_path / "file" / "workbench.db")


async def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "workbench.db"
    await (await Store.open(file)).close()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "address", ["mysql://root@host/db", "sqlite://", "sqlite:///:memory:", "://", "x://"]
)
async def test_an_address_of_another_kind_is_refused_with_the_two_that_work(address: str) -> None:
    with pytest.raises(ConfigurationError, match="WORKBENCH_DATABASE_URL"):
        await Store.open(address)


def test_opening_an_up_to_date_store_needs_no_alembic(tmp_path: Path) -> None:
    address = str(tmp_path / "workbench.db")
    program = (
        "import asyncio, sys\n"
        "from workbench.store import Store\n"
        f"async def main(): await (await Store.open({address!r})).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    first = subprocess.run([sys.executable, "-c", program], check=False)
    second = subprocess.run([sys.executable, "-c", program], check=False)
    assert (first.returncode, second.returncode) == (1, 0)
