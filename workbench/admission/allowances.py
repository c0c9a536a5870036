"""What a key may spend over time: requests in a minute, tokens in a UTC day."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from workbench.admission.headers import Allowance, rate_headers
from workbench.core.caller import Caller
from workbench.core.errors import QuotaExhausted, RateLimited

TokensToday = Callable[[Caller], Awaitable[int]]
"""Gives the tokens a caller has used since midnight UTC."""


def _seconds_to_midnight(now: datetime) -> float:
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()


class Allowances:
    """Spends them, and refuses who has none left.

    Requests are counted here, in a window that moves. Tokens are asked of whoever keeps the accounts, so that a
    restart forgives nothing; a call is let in while there is any left, and may overrun by what it generates.
    """

    def __init__(self, tokens_today: TokensToday) -> None:
        self._tokens_today = tokens_today
        self._minutes = MovingWindowRateLimiter(MemoryStorage())

    async def spend(self, caller: Caller) -> tuple[Allowance, ...]:
        """Counts one request, and gives back what is left of each of the caller's own limits.

        Raises: QuotaExhausted when the day's tokens are gone; RateLimited when the minute's requests are.
        """
        found = []
        if caller.limits.tokens_per_day is not None:
            found.append(await self._tokens(caller, caller.limits.tokens_per_day))
        if caller.limits.requests_per_minute is not None:
            found.append(await self._request(caller, caller.limits.requests_per_minute))
        return tuple(found)

    async def _tokens(self, caller: Caller, limit: int) -> Allowance:
        left = limit - await self._tokens_today(caller)
        allowance = Allowance("tokens", limit, left, _seconds_to_midnight(datetime.now(UTC)))
        if left > 0:
            return allowance
        refusal = QuotaExhausted(
            f"This key's allowance of {limit} tokens a day is used up. It is renewed at 00:00 UTC."
        )
        refusal.headers.update(rate_headers([allowance]))
        raise refusal

    async def _request(self, caller: Caller, limit: int) -> Allowance:
        window = RateLimitItemPerMinute(limit)
        was_let_in = await self._minutes.hit(window, caller.scope)
        stats = await self._minutes.get_window_stats(window, caller.scope)
        wait = max(0.0, stats.reset_time - time.time())
        allowance = Allowance("requests", limit, stats.remaining, wait)
        if was_let_in:
            return allowance
        raise RateLimited(
            f"This key's limit of {limit} requests a minute is reached, please try again later",
            retry_after_seconds=max(1.0, wait),
            headers=rate_headers([allowance]),
        )
