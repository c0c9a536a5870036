"""The last calls made with each account's keys, as numbers: when, which key, which model, how it ended, how long.

They live in memory and hold nothing of what was said. A restart forgets them.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from workbench.core.caller import Caller
from workbench.telemetry import Ending

CALLS_KEPT = 50
"""Calls kept of one account."""
ACCOUNTS_KEPT = 1000
"""Accounts with calls kept; whoever was quiet for longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class RecentCall:
    """One call that ended. `operation` is chat or text_completion; `status` is HTTP's, 499 when the caller left.

    `ttft_seconds` is None where no token came.
    """

    at: datetime
    key_id: str
    model: str
    operation: str
    status: str
    seconds: float
    ttft_seconds: float | None
    prompt_tokens: int
    completion_tokens: int


class RecentCalls:
    """What the accounts' keys did last. Calls without a key, the page's own, are not kept."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[RecentCall]] = OrderedDict()

    def add(self, caller: Caller, model: str, operation: str, ending: Ending) -> None:
        """Keeps a call that ended at this moment."""
        if caller.key_id is None:
            return
        calls = self._of.setdefault(caller.account, deque(maxlen=CALLS_KEPT))
        self._of.move_to_end(caller.account)
        calls.append(
            RecentCall(
                at=datetime.now(UTC),
                key_id=caller.key_id,
                model=model,
                operation=operation,
                status=ending.status,
                seconds=ending.seconds,
                ttft_seconds=ending.ttft_seconds,
                prompt_tokens=ending.used.prompt_tokens,
                completion_tokens=ending.used.completion_tokens,
            )
        )
        if len(self._of) > ACCOUNTS_KEPT:
            self._of.popitem(last=False)

    def of(self, account: str) -> Sequence[RecentCall]:
        """The account's calls, newest first."""
        return tuple(reversed(self._of.get(account, ())))
