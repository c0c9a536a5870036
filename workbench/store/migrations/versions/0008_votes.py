"""Votes of the arena, without content."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.store.tables import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("left", sa.String(255), nullable=False),
        sa.Column("right", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
    )
    op.create_index("ix_votes_account", "votes", ["account"])


def downgrade() -> None:
    op.drop_index("ix_votes_account", "votes")
    op.drop_table("votes")
