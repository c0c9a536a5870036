"""An export is the whole store of one moment; an import brings it back, from any version, into any database."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest
from alembic.script import ScriptDirectory

from tests.store.filling import fill, rows_of
from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.store import Store
from workbench.store.database import Database
from workbench.store.dump import write_dump
from workbench.store.opening import open_database
from workbench.store.restore import restore
from workbench.store.tables import metadata
from workbench.store.upgrade import migration_config, upgrade

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ScriptDirectory.from_config(migration_config())
VERSIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


async def _everything(database: Database) -> object:
    return await database.read(lambda connection: rows_of(connection, metadata.sorted_tables))


async def test_every_row_of_every_table_comes_back_in_either_database(
    database_address: str, empty_address: str, tmp_path: Path
) -> None:
    source, target = open_database(database_address), open_database(empty_address)
    try:
        count = await source.write(fill)
        file = tmp_path / "backup.jsonl"
        assert await write_dump(source, file) == count
        assert await restore(target, file) == count
        assert await _everything(target) == await _everything(source)
    finally:
        await source.close()
        await target.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_export_of_every_earlier_version_is_taken(
    empty_address: str, tmp_path: Path, version: str
) -> None:
    old, new = open_database(tmp_path / "old.db"), open_database(empty_address)
    try:
        await upgrade(old, version)
        count = await old.write(fill)
        await write_dump(old, tmp_path / "old.jsonl.gz")
        assert await restore(new, tmp_path / "old.jsonl.gz") >= count
        await upgrade(old)
        assert await _everything(new) == await _everything(old)
    finally:
        await old.close()
        await new.close()


async def test_what_was_imported_is_used_and_added_to(
    database_address: str, empty_address: str, tmp_path: Path
) -> None:
    async with await Store.open(database_address) as source:
        made = await source.keys.create(name="kept", expires=timedelta(days=30))
        await source.admin_log.add("ada", "key.create", made.id)
        await source.accounts.create("ada", "a password of hers")
    for address, work in ((database_address, write_dump), (empty_address, restore)):
        database = open_database(address)
        await work(database, tmp_path / "file")
        await database.close()
    async with await Store.open(empty_address) as target:
        assert (await target.keys.authenticate(made.secret)).name == "kept"
        assert (await target.accounts.log_in("ada", "a password of hers", "127.0.0.1")).name == "ada"
        await target.admin_log.add("ada", "key.revoke", made.id)
        assert [line.action for line in await target.admin_log.newest()] == ["key.revoke", "key.create"]


async def test_an_export_holds_all_that_was_acknowledged_before_it_while_others_write(
    empty_address: str, tmp_path: Path
) -> None:
    await (await Store.open(empty_address)).close()
    with _busy_writer(empty_address) as said:
        acknowledged = [said.readline().split() for _ in range(60)]
        database = open_database(empty_address)
        await write_dump(database, tmp_path / "file")
        await database.close()
    copy = open_database(tmp_path / "copy.db")
    await restore(copy, tmp_path / "file")
    await copy.close()
    async with await Store.open(tmp_path / "copy.db") as store:
        kept = [secret for kind, *secret in acknowledged if kind == "kept"]
        assert len(kept) > 2
        for (secret,) in kept:
            await store.keys.authenticate(secret)


@contextmanager
def _busy_writer(address: str) -> Iterator[IO[str]]:
    """What a process says that writes until the context ends."""
    command = [sys.executable, "-m", "tests.store.busy_writer", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        yield writer.stdout
        writer.kill()


@pytest.fixture
async def dumped(tmp_path: Path) -> Path:
    """An export with a key in it."""
    async with await Store.open(tmp_path / "source.db") as store:
        await store.keys.create(name="secret name")
    database = open_database(tmp_path / "source.db")
    await write_dump(database, tmp_path / "file.jsonl")
    await database.close()
    return tmp_path / "file.jsonl"


def test_a_file_is_for_its_owner_alone_and_has_no_key_in_it(dumped: Path, tmp_path: Path) -> None:
    assert dumped.stat().st_mode & 0o777 == 0o600
    assert "wb-" not in dumped.read_text()
    assert not list(tmp_path.glob("*.part"))


async def test_a_store_with_something_in_it_is_kept_unless_it_is_to_be_replaced(
    dumped: Path, database_address: str
) -> None:
    async with await Store.open(database_address) as store:
        own = await store.keys.create(name="own")
    database = open_database(database_address)
    with pytest.raises(InvalidRequest, match="--replace"):
        await restore(database, dumped)
    await restore(database, dumped, replaces=True)
    await database.close()
    async with await Store.open(database_address) as store:
        assert [key.name for key in await store.keys.list()] == ["secret name"]
        assert own.id not in [key.id for key in await store.keys.list()]


def _damage(file: Path, kind: str) -> None:
    lines = file.read_text().splitlines()
    header, row = json.loads(lines[0]), json.loads(lines[1])
    match kind:
        case "cut short":
            lines = lines[:-1]
        case "a row less":
            del lines[1]
        case "no line of an export":
            lines[1] = lines[1][:-5]
        case "no row":
            lines[1] = json.dumps({"table": "keys"})
        case "does not fit":
            row["row"]["no_such_column"] = 1
            lines[1] = json.dumps(row)
        case "does not fit version":
            row["row"]["created_at"] = "yesterday"
            lines[1] = json.dumps(row)
        case "is no export":
            lines[0] = json.dumps({**header, "format": "something else"})
        case "newer Workbench":
            lines[0] = json.dumps({**header, "version": "9999"})
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "kind",
    [
        "cut short",
        "a row less",
        "no line of an export",
        "no row",
        "does not fit",
        "does not fit version",
        "is no export",
        "newer Workbench",
    ],
)
async def test_a_damaged_file_is_refused_whole_without_quoting_it(
    dumped: Path, tmp_path: Path, kind: str
) -> None:
    _damage(dumped, kind)
    database = open_database(tmp_path / "target.db")
    says = "cut short" if kind == "a row less" else kind
    with pytest.raises((InvalidRequest, ConfigurationError), match=says) as refused:
        await restore(database, dumped)
    assert "secret name" not in refused.value.message
    await database.close()
    async with await Store.open(tmp_path / "target.db") as store:
        assert await store.keys.list() == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"\x1f\x8b"])
async def test_what_is_no_file_of_ours_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / ("file.gz" if content == b"\x1f\x8b" else "file")
    if content is not None:
        file.write_bytes(content)
    database = open_database(tmp_path / "target.db")
    with pytest.raises(InvalidRequest, match=r"cannot be read|no export|no line"):
        await restore(database, file)
    await database.close()


async def test_where_nothing_can_be_written_nothing_is_left(dumped: Path, tmp_path: Path) -> None:
    database = open_database(tmp_path / "source.db")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        await write_dump(database, tmp_path / "no folder" / "file")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        await write_dump(database, tmp_path)
    await database.close()
    empty = open_database(tmp_path / "empty.db")
    with pytest.raises(InvalidRequest, match="no store here"):
        await write_dump(empty, tmp_path / "nothing")
    await empty.close()
    assert not (tmp_path / "nothing").exists()


async def test_a_compressed_file_is_one(dumped: Path, tmp_path: Path) -> None:
    database = open_database(tmp_path / "source.db")
    count = await write_dump(database, tmp_path / "file.gz")
    await database.close()
    with gzip.open(tmp_path / "file.gz", "rt") as lines:
        assert json.loads(list(lines)[-1]) == {"rows": count}
