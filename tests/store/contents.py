"""Everything a database holds, as text to search."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from workbench.store.opening import open_database
from workbench.store.tables import metadata


def _rows(connection: Connection) -> str:
    tables = metadata.sorted_tables
    return "\n".join(repr(tuple(row)) for table in tables for row in connection.execute(select(table)))


async def stored_text(address: str) -> str:
    """Every row of every table, and the bytes of SQLite's files."""
    database = open_database(address)
    try:
        text = await database.read(_rows)
    finally:
        await database.close()
    if database.dialect == "sqlite":
        text += "".join(path.read_bytes().decode("latin-1") for path in Path(address).parent.iterdir())
    return text
