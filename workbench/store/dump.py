"""A whole store as one text file, the same whichever database it comes from.

The first line says what it is and of which version, each further line is a row, and the last says how many there were.
What is in it is what is in the store: hashes of keys and passwords, and never a prompt.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Date, DateTime, LargeBinary, MetaData, Table, select
from sqlalchemy.types import TypeEngine

from workbench.core.errors import InvalidRequest
from workbench.store.database import Database
from workbench.store.upgrade import current_version

FORMAT = "workbench store"
_VERSION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 200
# All tables as they were at one moment, whatever a running server writes meanwhile.
_ONE_MOMENT = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a dump, its values as JSON has them."""

    table: str
    values: dict[str, Any]


async def write_dump(database: Database, file: Path) -> int:
    """Writes everything into `file`, compressed where its name ends in `.gz`; gives the number of rows.

    The store may be in use meanwhile, and of any version: it is left as it is. The file is for its owner alone and is
    there whole or not at all.

    Raises: InvalidRequest when there is no store, or the file cannot be written; Unavailable.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        os.close(descriptor)
        with _opened(part, file, "wt") as out:
            rows = await database.read(lambda connection: _write(connection, out))
        part.replace(file)
    except OSError as failure:
        raise InvalidRequest(f"{file} cannot be written: {failure.strerror}.") from failure
    finally:
        part.unlink(missing_ok=True)
    return rows


def _write(connection: Connection, out: IO[str]) -> int:
    """Writes header, rows and end; gives the number of rows."""
    connection.exec_driver_sql(_ONE_MOMENT[connection.dialect.name])
    try:
        version = current_version(connection)
        if version is None:
            raise InvalidRequest("There is no store here yet: nothing to export.")
        header = {"format": FORMAT, "version": version, "made_at": datetime.now(UTC).isoformat()}
        out.write(json.dumps(header) + "\n")
        rows = 0
        for table in tables_of(connection):
            for row in connection.execute(select(table)).yield_per(_ROWS_AT_ONCE):
                values = {
                    column.name: _as_json(value) for column, value in zip(table.columns, row, strict=True)
                }
                out.write(json.dumps({"table": table.name, "row": values}) + "\n")
                rows += 1
        out.write(json.dumps({"rows": rows}) + "\n")
    finally:
        connection.exec_driver_sql("ROLLBACK")
    return rows


def tables_of(connection: Connection) -> list[Table]:
    """The tables there are in this version, those first that others refer to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]


class Dump:
    """A file that `write_dump` has written, read line by line.

    Raises: InvalidRequest for what is no such file, or one that was cut short.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._lines() as lines:
            header = self._line(next(lines, ""), 1)
        if header.get("format") != FORMAT or not isinstance(header.get("version"), str):
            raise InvalidRequest(f"{file} is no export of a Workbench store.")
        self.version: str = header["version"]

    def rows(self) -> Iterator[Row]:
        """Every row, in the order they were written."""
        count, end = 0, None
        with self._lines() as lines:
            next(lines)
            for number, line in enumerate(lines, start=2):
                found = self._line(line, number)
                if "rows" in found:
                    end = found["rows"]
                    break
                count += 1
                yield self._row(found, number)
        if end != count:
            raise InvalidRequest(f"{self._file} was cut short after {count} rows. Export it again.")

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        try:
            with _opened(self._file, self._file, "rt") as opened:
                yield iter(opened)
        except (OSError, EOFError, UnicodeDecodeError) as failure:
            reason = (
                failure.strerror if isinstance(failure, OSError) and failure.strerror else "it is damaged"
            )
            raise InvalidRequest(f"{self._file} cannot be read: {reason}.") from failure

    def _line(self, line: str, number: int) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise InvalidRequest(f"{self._file}, line {number}: this is no line of an export.")
        return found

    def _row(self, found: dict[str, Any], number: int) -> Row:
        match found:
            case {"table": str(table), "row": dict(values)}:
                return Row(table, values)
        raise InvalidRequest(f"{self._file}, line {number}: this is no row.")


@contextmanager
def _opened(file: Path, name: Path, mode: str) -> Iterator[Any]:
    """`file` as text, compressed where `name` says so."""
    opening = gzip.open if name.suffix == ".gz" else open
    with opening(file, mode, encoding="utf-8") as opened:
        yield opened


def _as_json(value: object) -> object:
    match value:
        case datetime():
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            return aware.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case _:
            return value


def from_json(value: Any, kind: TypeEngine[Any]) -> object:
    """A dump's value as SQLite keeps it in a column of this kind. Raises: ValueError, TypeError for another kind's."""
    if value is None:
        return None
    match kind:
        case DateTime():
            return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
        case Date():
            return date.fromisoformat(value)
        case LargeBinary():
            return base64.b64decode(value, validate=True)
        case _:
            return value
