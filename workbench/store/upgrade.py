"""Brings a database to the newest version, whoever opens it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from workbench.core.errors import ConfigurationError
from workbench.store.database import Database
from workbench.store.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

_ADVISORY_LOCK = 0x6D775F6462  # any number, the same in every process


def migration_config() -> Config:
    """Alembic's configuration: the packaged migrations, no ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "workbench.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def known_versions() -> frozenset[str]:
    """Every version this Workbench can bring to the newest."""
    from alembic.script import ScriptDirectory

    return frozenset(
        script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()
    )


def current_version(connection: Connection) -> str | None:
    """The database's version, or None for one without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade_in_transaction(connection: Connection, target: str) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's transaction holds the write lock already
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    before = current_version(connection)  # another process may have been faster
    if before == target:
        return
    from alembic import command

    if before is not None and before not in known_versions():
        raise ConfigurationError(
            f"The database is at version {before}, made by a newer Workbench; this one goes up to {HEAD}. "
            "Update Workbench, or point WORKBENCH_HOME or WORKBENCH_DATABASE_URL elsewhere."
        )
    config = migration_config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


async def upgrade(database: Database, target: str = HEAD) -> None:
    """Applies every migration up to `target` in one transaction: all of them or none.

    Raises: ConfigurationError when a newer Workbench made the database; Unavailable when it does not answer.
    """
    if await database.read(current_version) != target:
        await database.write(lambda connection: _upgrade_in_transaction(connection, target))
