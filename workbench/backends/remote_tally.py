"""What a remote stream has shown of its answer: whether it is whole, and how many tokens came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.backends.remote_errors import NOTHING_CAME
from workbench.backends.remote_wire import usage_of
from workbench.core.chat import Delta, Usage
from workbench.core.errors import BackendFailed


@dataclass(slots=True)
class StreamTally:
    """Counts one stream. A server that gives up an answer may end its stream politely, only without a reason."""

    _tokens: int = 0
    _open: set[int] = field(default_factory=set)
    _ended: set[int] = field(default_factory=set)

    def see(self, delta: Delta) -> None:
        """One more piece of a choice."""
        self._tokens += delta.token_count
        self._open.add(delta.index)
        if delta.finish_reason is not None:
            self._ended.add(delta.index)

    def usage(self, given: Any) -> Usage:
        """The server's own counts; where it gives none, the pieces that came, and 0 for the unknown prompt.

        Raises: BackendFailed when a choice has not ended, or none came.
        """
        if not self._open:
            raise BackendFailed(NOTHING_CAME)
        if self._open - self._ended:
            raise BackendFailed("The remote endpoint ended its answer too early.")
        return Usage(0, self._tokens) if given is None else usage_of(given)
