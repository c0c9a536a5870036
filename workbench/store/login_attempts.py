"""How often somebody may try a password."""

from __future__ import annotations

import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from workbench.core.errors import RateLimited

_WINDOW_MINUTES = 15


class LoginAttempts:
    """Counts attempts by account and by address, in memory.

    An account is limited for each address apart, so that nobody locks out its owner from elsewhere.
    """

    def __init__(self, for_account: int = 5, for_address: int = 100) -> None:
        self._for_account: RateLimitItem = RateLimitItemPerMinute(for_account, _WINDOW_MINUTES)
        self._for_address: RateLimitItem = RateLimitItemPerMinute(for_address, _WINDOW_MINUTES)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, account: str, address: str) -> None:
        """Counts an attempt before the password is looked at.

        Raises: RateLimited when there were too many.
        """
        for limit, who in (
            (self._for_address, ("address", address)),
            (self._for_account, ("account", account, address)),
        ):
            if not await self._windows.hit(limit, *who):
                stats = await self._windows.get_window_stats(limit, *who)
                wait = max(1.0, stats.reset_time - time.time())
                raise RateLimited(
                    f"Too many attempts to log in. Please try again in {round(wait / 60) or 1} minutes.",
                    code="too_many_login_attempts",
                    retry_after_seconds=wait,
                )

    async def forget(self, account: str, address: str) -> None:
        """The password was right: the account's attempts from this address no longer count."""
        await self._windows.clear(self._for_account, "account", account, address)
