"""Kept prompt prefixes: what one key's earlier requests read need not be read again.

Only within one scope: across keys, reuse would leak prompts through timing and cached_tokens. What is kept under
SHARED_SCOPE is no one's text (a guard's policy) and serves all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.core.backend import SHARED_SCOPE
from workbench.engine.slots import Prefix

SHORTEST = 32
"""Prefixes of fewer tokens are not worth a copy."""


@dataclass(slots=True)
class _Kept:
    scope: str
    ids: tuple[int, ...]
    prefix: Prefix
    last_used: float = field(default_factory=time.monotonic)


class PrefixStore:
    """Least recently used prefixes within a budget of bytes, dropped after `idle_seconds` unused."""

    def __init__(self, *, budget_bytes: int, idle_seconds: float) -> None:
        self._budget_bytes = budget_bytes
        self._idle_seconds = idle_seconds
        self._kept: list[_Kept] = []

    def find(self, scope: str, ids: Sequence[int], at_most: int) -> tuple[Prefix, int] | None:
        """The kept prefix that shares the longest beginning with `ids`, and how many tokens of it to use."""
        best: _Kept | None = None
        best_length = SHORTEST - 1
        for kept in self._kept:
            if kept.scope in (scope, SHARED_SCOPE):
                length = min(_shared(kept.ids, ids), at_most)
                if length > best_length:
                    best, best_length = kept, length
        if best is None:
            return None
        best.last_used = time.monotonic()
        return best.prefix, best_length

    def is_known(self, scope: str, ids: Sequence[int]) -> bool:
        """True when all of `ids` is already kept."""
        return any(kept.scope == scope and _shared(kept.ids, ids) == len(ids) for kept in self._kept)

    def put(self, scope: str, ids: Sequence[int], prefix: Prefix) -> None:
        """Keeps a prefix of `ids`; shorter ones that it covers are dropped, and the oldest ones over the budget."""
        if prefix.nbytes > self._budget_bytes:
            return
        fresh = _Kept(scope, tuple(ids[: prefix.length]), prefix)
        self._kept = [
            kept for kept in self._kept if kept.scope != scope or _shared(kept.ids, fresh.ids) < len(kept.ids)
        ]
        self._kept.append(fresh)
        self._kept.sort(key=lambda kept: kept.last_used)
        while self.nbytes > self._budget_bytes:
            self._kept.pop(0)

    def expire(self) -> None:
        """Drops what was not used for `idle_seconds`."""
        oldest = time.monotonic() - self._idle_seconds
        self._kept = [kept for kept in self._kept if kept.last_used >= oldest]

    def clear(self) -> None:
        """Drops everything."""
        self._kept.clear()

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(kept.prefix.nbytes for kept in self._kept)

    def __len__(self) -> int:
        """How many prefixes are kept."""
        return len(self._kept)


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two sequences share from their beginning."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
