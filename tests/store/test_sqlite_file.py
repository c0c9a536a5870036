from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from workbench.core.errors import ConfigurationError
from workbench.store import sqlite_file


class _LockedAtFirst(sqlite3.Connection):
    """Answers as SQLite does while another process switches the same new file."""

    refusals = 0

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if type(self).refusals > 0:
            type(self).refusals -= 1
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql)


@pytest.fixture
def locked_at_first(monkeypatch: pytest.MonkeyPatch) -> type[_LockedAtFirst]:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file: connect(file, factory=_LockedAtFirst))
    return _LockedAtFirst


def _mode(file: Path) -> str:
    connection = sqlite3.Connection(file)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    return str(mode)


def test_a_prepared_file_keeps_a_write_ahead_log(tmp_path: Path) -> None:
    sqlite_file.prepare(tmp_path / "workbench.db")
    sqlite_file.prepare(tmp_path / "workbench.db")
    assert _mode(tmp_path / "workbench.db") == "wal"


def test_a_file_that_another_process_prepares_is_tried_again(
    tmp_path: Path, locked_at_first: type[_LockedAtFirst]
) -> None:
    locked_at_first.refusals = 3
    sqlite_file.prepare(tmp_path / "workbench.db")
    assert _mode(tmp_path / "workbench.db") == "wal"


def test_a_file_that_stays_locked_is_named(
    tmp_path: Path, locked_at_first: type[_LockedAtFirst], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_PATIENCE_SECONDS", 0.0)
    locked_at_first.refusals = 10
    with pytest.raises(ConfigurationError, match="database is locked"):
        sqlite_file.prepare(tmp_path / "workbench.db")
    locked_at_first.refusals = 0
