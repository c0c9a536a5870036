"""The keys of remote endpoints, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.store.tables import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "remote_keys",
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("set_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("model", name="pk_remote_keys"),
    )


def downgrade() -> None:
    op.drop_table("remote_keys")
