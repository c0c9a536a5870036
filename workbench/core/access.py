"""Who may ask for how much: the kinds of key and the limits one can carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KeyKind(StrEnum):
    """What a key opens: INFERENCE the model routes, ADMIN the administration of this server."""

    INFERENCE = "inference"
    ADMIN = "admin"


class AccountRole(StrEnum):
    """What an account may do: a MEMBER uses models, an ADMIN also decides about keys, models and requests."""

    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """A key's own limits; None means none of its own. All are at least 1.

    `concurrency` counts choices generating at once, `requests_per_minute` calls in any 60 seconds,
    `tokens_per_day` prompt and completion tokens in a UTC day.

    Raises: ValueError for a limit below 1.
    """

    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_day: int | None = None

    def __post_init__(self) -> None:
        """Refuses limits that would let nothing through."""
        for name in ("concurrency", "requests_per_minute", "tokens_per_day"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, or absent for no limit")
