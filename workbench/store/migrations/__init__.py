"""The database's versions, one file each, applied in order when the store opens."""

from __future__ import annotations

HEAD = "0005"
"""The newest version. Known without reading the folder, so that an up-to-date store opens without Alembic."""
