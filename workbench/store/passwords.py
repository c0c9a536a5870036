"""Passwords: hashed and checked by argon2id, beside the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workbench.core.errors import InvalidRequest

SHORTEST = 10
LONGEST = 1024

_HASHES_AT_ONCE = 2


class Passwords:
    """Hashes and checks, two at a time: each takes 64 MiB and tens of milliseconds of a core by design."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._decoy: str | None = None

    async def hashed(self, password: str) -> str:
        """What is stored in the password's place: argon2's own encoding, with its salt and settings.

        Raises: InvalidRequest when the password is too short or too long.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise InvalidRequest(
                f"A password needs at least {SHORTEST} characters and at most {LONGEST}.", param="password"
            )
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """True when the password is the stored one. Without a stored one it takes as long to say no.

        Raises: nothing for a password of any length: one that could not have been set is wrong.
        """
        if len(password) > LONGEST:
            return False
        if stored is None:
            if self._decoy is None:
                self._decoy = await self.hashed("a password nobody has")
            await self._verify(self._decoy, password)
            return False
        return await self._verify(stored, password)

    def is_outdated(self, stored: str) -> bool:
        """True when it was hashed with weaker settings than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def _verify(self, stored: str, password: str) -> bool:
        async with self._slots:
            try:
                return await asyncio.to_thread(self._hasher.verify, stored, password)
            except (VerificationError, InvalidHashError):
                return False
