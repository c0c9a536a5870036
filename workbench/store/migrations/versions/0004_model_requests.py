"""Requests for models, with who supports them, notes and attachments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.store.tables import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "model_requests",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("hub_id", sa.String(255), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("use_case", sa.Text, nullable=False),
        sa.Column("requirements", sa.Text, nullable=False),
        sa.Column("evaluation_criteria", sa.Text, nullable=False),
        sa.Column("current_limitations", sa.Text, nullable=False),
        sa.Column("expected_concurrency", sa.Text, nullable=False),
        sa.Column("future_plans", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_requests"),
    )
    op.create_table(
        "model_request_supporters",
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "account", name="pk_model_request_supporters"),
        _belongs_to_a_request("model_request_supporters"),
    )
    op.create_table(
        "model_request_notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_request_notes"),
        _belongs_to_a_request("model_request_notes"),
    )
    op.create_table(
        "model_request_attachments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_request_attachments"),
        _belongs_to_a_request("model_request_attachments"),
    )
    for table in ("model_request_notes", "model_request_attachments"):
        op.create_index(f"ix_{table}_request_id", table, ["request_id"])


def _belongs_to_a_request(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["request_id"],
        ["model_requests.id"],
        name=f"fk_{table}_request_id_model_requests",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    for table in ("attachments", "notes", "supporters"):
        op.drop_table(f"model_request_{table}")
    op.drop_table("model_requests")
