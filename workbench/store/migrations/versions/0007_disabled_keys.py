"""Keys that are disabled for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.store.tables import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("keys", sa.Column("disabled_at", UtcDateTime))


def downgrade() -> None:
    op.drop_column("keys", "disabled_at")
