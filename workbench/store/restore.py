"""Puts a dump into a store: of any version, into any database, all of it or nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, insert, select, text
from sqlalchemy.exc import DatabaseError, StatementError

from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.store.database import Database
from workbench.store.dump import Dump, from_json, tables_of
from workbench.store.migrations import HEAD
from workbench.store.sqlite import SqliteDatabase
from workbench.store.tables import metadata
from workbench.store.upgrade import known_versions, upgrade

_Rows = dict[str, list[dict[str, Any]]]


async def restore(database: Database, file: Path, *, replaces: bool = False) -> int:
    """Puts what `write_dump` wrote into the store, brought to the newest version; gives the number of rows.

    A file of an earlier version first becomes a store of that version, in a temporary folder, which the migrations
    then bring up: what holds for a store that is upgraded holds for its file.

    Raises: InvalidRequest for a damaged file, or a store with something in it, which only `replaces` deletes;
        ConfigurationError for a file of a newer Workbench; Unavailable.
    """
    dump = Dump(file)
    if dump.version not in known_versions():
        raise ConfigurationError(
            f"{file} is of version {dump.version}, made by a newer Workbench; this one goes up to {HEAD}. Update it."
        )
    rows = await _brought_up(dump, file)
    await upgrade(database)
    await database.write(lambda connection: _put(connection, rows, replaces=replaces))
    return sum(map(len, rows.values()))


async def _brought_up(dump: Dump, file: Path) -> _Rows:
    """The dump's rows as the newest version has them, by table."""
    with tempfile.TemporaryDirectory(prefix="workbench-import-") as folder:
        staged = SqliteDatabase(Path(folder) / "staged.db")
        try:
            await upgrade(staged, dump.version)
            await staged.write(lambda connection: _stage(connection, dump, file))
            await upgrade(staged)
            return await staged.read(_all_rows)
        finally:
            await staged.close()


def _stage(connection: Connection, dump: Dump, file: Path) -> None:
    """Raises: InvalidRequest for a row that no table of the dump's version takes."""
    tables = {table.name: table for table in tables_of(connection)}
    for number, row in enumerate(dump.rows(), start=2):
        try:
            table = tables[row.table]
            values = {name: from_json(value, table.c[name].type) for name, value in row.values.items()}
            connection.execute(insert(table).values(values))
        except (KeyError, ValueError, TypeError, StatementError, DatabaseError) as failure:
            raise InvalidRequest(
                f"{file}, line {number}: the row does not fit version {dump.version} ({type(failure).__name__})."
            ) from None


def _all_rows(connection: Connection) -> _Rows:
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table))]
        for table in metadata.sorted_tables
    }


def _put(connection: Connection, rows: _Rows, *, replaces: bool) -> None:
    """Raises: InvalidRequest when there is something already."""
    filled = [table for table in metadata.sorted_tables if connection.execute(select(table).limit(1)).first()]
    if filled and not replaces:
        raise InvalidRequest(
            "The store is not empty. Point WORKBENCH_HOME or WORKBENCH_DATABASE_URL at a new one, or say --replace to "
            "delete what is in it."
        )
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())
    for table in metadata.sorted_tables:
        if rows[table.name]:
            connection.execute(insert(table), rows[table.name])
        if connection.dialect.name == "postgresql":
            _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """The next number that PostgreSQL gives a row of this table comes after those it has."""
    (key, *others) = table.primary_key.columns
    if others or not isinstance(key.type, Integer):
        return
    highest = connection.execute(select(func.max(key))).scalar()
    connection.execute(
        text("SELECT setval(pg_get_serial_sequence(:table, :key), :value, :is_used)"),
        {"table": table.name, "key": key.name, "value": highest or 1, "is_used": highest is not None},
    )
