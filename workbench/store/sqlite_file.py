"""SQLite's file: made for its owner alone, and switched once to write-ahead logging."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from workbench.core.errors import ConfigurationError

_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


def prepare(file: Path) -> None:
    """Makes the folder and the file where they are missing, and lets readers and a writer work side by side.

    Raises: ConfigurationError when the file cannot be opened or is no database.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as failure:
        raise ConfigurationError(
            f"The database {file} cannot be opened: {failure.strerror}. "
            "Make the folder writable, or point WORKBENCH_HOME elsewhere."
        ) from failure
    try:
        _use_write_ahead_log(file)
    except sqlite3.Error as failure:
        raise ConfigurationError(
            f"The database {file} cannot be used: {failure}. Move a damaged file away; a new one is made."
        ) from failure


def _use_write_ahead_log(file: Path) -> None:
    """Switches the file's mode, which it then keeps.

    SQLite answers "locked" at once, without its usual wait, when two processes switch a new file together.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with closing(sqlite3.connect(file)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return
