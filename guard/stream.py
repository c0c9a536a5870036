"""Holding streamed output back until it has been judged: pure logic, no clock and no guard of its own.

Covered: all text of a choice (reasoning, answer, tool calls), in overlapping windows, each judged before
any of it is released. Not covered: harm that only shows in two places further apart than a window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from guard.policy import WindowSizes
from workbench.core.chat import Delta


class Transcript:
    """One choice's text over all channels, in the order it is generated."""

    def __init__(self) -> None:
        self._channel = ""

    def add(self, delta: Delta) -> str:
        """What the delta adds: a line break comes first where the channel changes, to keep words apart."""
        calls = "".join((call.name or "") + call.arguments for call in delta.tool_calls)
        added = ""
        for channel, text in (("reasoning", delta.reasoning), ("content", delta.content), ("calls", calls)):
            if not text:
                continue
            if self._channel not in ("", channel):
                added += "\n"
            self._channel = channel
            added += text
        return added


@dataclass(frozen=True, slots=True)
class _Held:
    """A delta not yet released, and where its text ends in the choice's text."""

    delta: Delta
    end: int


class HoldBack:
    """One choice's output: `add` what is generated, have what is `due` judged, then take what `passed`.

    Deltas come out whole, unchanged and in order.
    """

    def __init__(self, sizes: WindowSizes) -> None:
        self._sizes = sizes
        self._held: deque[_Held] = deque()
        self._tail = ""  # the last of the text, from `_tail_start` on: as much as the next window may need
        self._tail_start = 0
        self._judged_end = 0
        self._stride = sizes.first_chars
        self._transcript = Transcript()
        self._is_finished = False
        self._is_judged_once = False

    @property
    def is_finished(self) -> bool:
        """True once the choice's last delta was added."""
        return self._is_finished

    @property
    def is_empty(self) -> bool:
        """True when nothing is held."""
        return not self._held

    def add(self, delta: Delta) -> None:
        """Takes the next delta of the choice."""
        self._tail += self._transcript.add(delta)
        self._held.append(_Held(delta, self._end))
        self._is_finished = self._is_finished or delta.finish_reason is not None

    def due(self) -> str | None:
        """The window to be judged now, or None while there is too little new text.

        At the end of the choice whatever has not been judged is due, be it empty: every choice is judged
        once.
        """
        unjudged = self._end - self._judged_end
        if self._is_finished:
            if self._is_judged_once and unjudged == 0:
                return None
        elif unjudged < self._stride:
            return None
        overlap = self._sizes.window_chars - self._sizes.stride_chars
        start = min(self._end - self._sizes.window_chars, self._judged_end - overlap)
        return self._tail[max(0, start - self._tail_start) :]

    def passed(self) -> tuple[Delta, ...]:
        """What may be shown now that the window last `due` was found harmless, or that nothing more is due.

        All of it when the choice has ended, else what has its lookahead judged with it.
        """
        self._judged_end = self._end
        self._is_judged_once = True
        self._stride = min(self._stride * 2, self._sizes.stride_chars)
        self._forget(self._judged_end - self._sizes.window_chars)
        limit = self._judged_end if self._is_finished else self._judged_end - self._sizes.lookahead_chars
        released: list[Delta] = []
        while self._held and self._held[0].end <= limit:
            released.append(self._held.popleft().delta)
        return tuple(released)

    @property
    def _end(self) -> int:
        return self._tail_start + len(self._tail)

    def _forget(self, before: int) -> None:
        if before > self._tail_start:
            self._tail = self._tail[before - self._tail_start :]
            self._tail_start = before
