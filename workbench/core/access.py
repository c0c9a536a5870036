"""What opens what: the kinds of key and the roles of an account."""

from __future__ import annotations

from enum import StrEnum


class KeyKind(StrEnum):
    """What a key opens: INFERENCE the model routes, ADMIN the administration of this server."""

    INFERENCE = "inference"
    ADMIN = "admin"


class AccountRole(StrEnum):
    """What an account may do: a MEMBER uses models, an ADMIN also decides about keys, models and requests."""

    MEMBER = "member"
    ADMIN = "admin"
