"""The tables, as the newest migration leaves them. No column holds a prompt, an answer or a key."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware on the Python side on every database; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the database keeps it.

        Raises: ValueError for a datetime without a zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("account", String(64), nullable=False, index=True),
    Column("prefix", String(8), nullable=False),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("previous_hash", String(64), unique=True),
    Column("previous_until", UtcDateTime),
    Column("models", JSON(none_as_null=True)),
    Column("concurrency", Integer),
    Column("requests_per_minute", Integer),
    Column("tokens_per_day", BigInteger),
    Column("moderation", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("session_epoch", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("last_login_at", UtcDateTime),
)

usage = Table(
    "usage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("key_id", String(32), primary_key=True),
    Column("model", String(255), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("credits", Double, nullable=False),
)

model_requests = Table(
    "model_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("email", String(254), nullable=False),
    Column("category", String(64), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("hub_id", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("use_case", Text, nullable=False),
    Column("requirements", Text, nullable=False),
    Column("evaluation_criteria", Text, nullable=False),
    Column("current_limitations", Text, nullable=False),
    Column("expected_concurrency", Text, nullable=False),
    Column("future_plans", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)


def _of_a_request(*, primary_key: bool = False, index: bool = False) -> Column[str]:
    belongs = ForeignKey("model_requests.id", ondelete="CASCADE")
    return Column("request_id", String(32), belongs, nullable=False, primary_key=primary_key, index=index)


model_request_supporters = Table(
    "model_request_supporters",
    metadata,
    _of_a_request(primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

model_request_notes = Table(
    "model_request_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_a_request(index=True),
    Column("author", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

model_request_attachments = Table(
    "model_request_attachments",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_a_request(index=True),
    Column("name", String(255), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("account", String(64), nullable=False),
    Column("models", JSON, nullable=False),
    Column("spec_hash", String(64), nullable=False),
    Column("folder", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("verdict", String(32)),
    Column("samples", Integer, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

votes = Table(
    "votes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("account", String(64), nullable=False, index=True),
    Column("left", String(255), nullable=False),
    Column("right", String(255), nullable=False),
    Column("outcome", String(16), nullable=False),
)

admin_log = Table(
    "admin_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
)

remote_keys = Table(
    "remote_keys",
    metadata,
    Column("model", String(255), primary_key=True),
    # Encrypted by store.vault, whose key lies outside the database.
    Column("ciphertext", LargeBinary, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)
