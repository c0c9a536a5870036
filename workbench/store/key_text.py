"""API keys as text: made, recognised and masked. The text itself is never stored."""

from __future__ import annotations

import hashlib
import secrets

_MARK = "wb-"
_SHORTEST_MASKED = 20


def new_secret() -> str:
    """A fresh key: `wb-` and 256 random bits, URL-safe."""
    return _MARK + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored in a key's place: SHA-256 in hex. Enough for 256 random bits; passwords need argon2."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def prefix(secret: str) -> str:
    """The four characters after the mark, by which a person recognises a key in a list."""
    return secret.removeprefix(_MARK)[:4]


def masked(secret: str) -> str:
    """`secret` with all but its ends starred, for error messages; short or odd strings are starred whole."""
    if len(secret) < _SHORTEST_MASKED or not (secret.isascii() and secret.isprintable()):
        return "***"
    return f"{secret[:5]}***{secret[-4:]}"
