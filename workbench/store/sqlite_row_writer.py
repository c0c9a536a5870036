"""One row at a time into a SQLite file, by the driver itself: compiled once, never waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect()
# Locked means not now. A commit is with the operating system; the log stays where it is.
_SETTINGS = ("busy_timeout = 0", "synchronous = NORMAL", "wal_autocheckpoint = 0", "foreign_keys = ON")


class _Compiled:
    """An insert as text with question marks, and how the values get there."""

    def __init__(self, statement: Insert, row: Mapping[str, object]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=list(row))
        self.text = str(compiled)
        self._values: list[tuple[str, Callable[[Any], Any] | None]] = [
            (name, compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
            for name in compiled.positiontup or ()
        ]

    def arguments(self, row: Mapping[str, object]) -> list[object]:
        """The row's values, as the driver takes them, in the text's order."""
        return [row[name] if as_kept is None else as_kept(row[name]) for name, as_kept in self._values]


class RowWriter:
    """A connection of its own, for the event loop's thread alone. The file must have been prepared."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            self._connection.execute(f"PRAGMA {setting}")
        self._compiled: dict[Insert, _Compiled] = {}

    def write(self, statement: Insert, row: Mapping[str, object]) -> bool:
        """True once the row is committed; False when it cannot be at this moment."""
        if statement not in self._compiled:
            self._compiled[statement] = _Compiled(statement, row)
        compiled = self._compiled[statement]
        try:
            self._connection.execute(compiled.text, compiled.arguments(row))
        except sqlite3.OperationalError:
            return False
        return True

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
