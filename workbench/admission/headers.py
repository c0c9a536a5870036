"""The `x-ratelimit-*` headers, as OpenAI's API names and writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit on `requests` or `tokens`, what is left of it, and when it is whole (or a place free) again."""

    of: str
    limit: int
    remaining: int
    reset_seconds: float


def duration(seconds: float) -> str:
    """Seconds as OpenAI writes them: `12ms`, `1.5s`, `6m0s`, `1h0m30s`; below zero is `0s`."""
    if seconds <= 0:
        return "0s"
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"


def rate_headers(allowances: Iterable[Allowance]) -> Mapping[str, str]:
    """Three headers an allowance: limit, remaining (never below 0) and reset."""
    headers = {}
    for allowance in allowances:
        headers[f"x-ratelimit-limit-{allowance.of}"] = str(allowance.limit)
        headers[f"x-ratelimit-remaining-{allowance.of}"] = str(max(0, allowance.remaining))
        headers[f"x-ratelimit-reset-{allowance.of}"] = duration(allowance.reset_seconds)
    return headers
