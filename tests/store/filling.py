"""Rows of nothing in particular in every table, whatever tables there are."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Column, Connection, MetaData, Table, insert, select, types

VERSION_TABLE = "alembic_version"
ROWS = 3


def fill(connection: Connection) -> int:
    """Puts rows into every table of the database as it is; gives their number."""
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]
    for table in tables:
        rows = [{column.name: _value(column, number) for column in table.columns} for number in range(ROWS)]
        connection.execute(insert(table), rows)
    return ROWS * len(tables)


def rows_of(connection: Connection, tables: list[Table]) -> dict[str, list[tuple[object, ...]]]:
    """Everything in these tables, in the order of their keys."""
    return {
        table.name: [
            tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).all()
        ]
        for table in tables
    }


def _value(column: Column[object], number: int) -> object:
    """Another for each row; references meet, and what may be missing is missing once."""
    if column.nullable and number == 0:
        return None
    match column.type:
        case types.JSON():
            return ["a", {"deep": number}]
        case types.DateTime():
            moment = datetime(2026, 1, 2, 3, 4, 5, 60 + number, tzinfo=UTC)
            return moment if column.type.timezone else moment.replace(tzinfo=None)
        case types.Date():
            return date(2026, 1, 1 + number)
        case types.LargeBinary():
            return bytes(range(256)) * (1 + number)
        case types.Float():
            return 0.1 + number
        case types.Integer():
            return number + 1
        case _:
            name = "request" if column.foreign_keys or column.name == "id" else column.name
            return f"{name} {number} ä\n"[: getattr(column.type, "length", None) or 99]
