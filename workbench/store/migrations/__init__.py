"""The database's versions, one file each, applied in order when the store opens.

The next one is written by hand after the last: its file, `HEAD` below, and the tables in `tables.py`, which a test
compares with what the migrations make. A version that was released is never edited.
"""

from __future__ import annotations

HEAD = "0008"
"""The newest version. Known without reading the folder, so that an up-to-date store opens without Alembic."""
