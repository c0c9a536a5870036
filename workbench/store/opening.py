"""Opens the one database behind the whole store: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from workbench.core.errors import ConfigurationError
from workbench.store.database import Database
from workbench.store.sqlite import SqliteDatabase


def _url(address: str) -> URL:
    try:
        return make_url(address)
    except ArgumentError as failure:
        raise ConfigurationError("WORKBENCH_DATABASE_URL is not a database URL.") from failure


def sqlite_path(address: str | Path) -> Path | None:
    """The SQLite file at a path or URL; None when the address is of something else."""
    if isinstance(address, Path) or "://" not in address:
        return Path(address)
    url = _url(address)
    is_file = url.drivername.split("+")[0] == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


def open_database(address: str | Path) -> Database:
    """The database at a file's path or a URL, in any of the usual spellings.

    Raises: ConfigurationError when it is of another kind, its driver is missing, or its file cannot be used.
    """
    file = sqlite_path(address)
    if file is not None:
        return SqliteDatabase(file)
    url = _url(str(address))
    if url.drivername.split("+")[0] in ("postgres", "postgresql"):
        from workbench.store.postgres import PostgresDatabase

        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise ConfigurationError(
        "WORKBENCH_DATABASE_URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. "
        "Unset it to keep everything in one file under WORKBENCH_HOME."
    )
