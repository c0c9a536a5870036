"""Who runs: admission to rows, chunked prefill beside decoding, growth, and pausing the youngest. No model, no torch.

Rows 0 .. len(active)-1 decode; the row after them belongs to the one sequence that is being prefilled.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.engine.sequence import Sequence

SINGLE_NEWCOMER = 0.8
"""How much longer a step may take, in steps, for one prompt that is read beside it."""
GROWTH_TOKENS = 256
"""Room reserved beyond what a sequence holds when it gets its row."""
MOST_PACKED = 256
"""Tokens of prompts that are scored in one pass: more gain nothing and look at each other in vain."""
MOST_SCORED = 256
"""Positions whose logits exist at one time: at a vocabulary of 262k they are 268 MB."""


@dataclass(slots=True)
class Pace:
    """Measured speed, of the recent past above all: sets how much prefill goes beside one decode step."""

    step_seconds: float = 0.05
    prefill_seconds: float = 0.2
    prefill_tokens: float = 100.0
    weight: float = 0.2

    @property
    def prefill_seconds_per_token(self) -> float:
        """The mean over tokens and not over chunks: the shortest chunks, which cost most a token, count least."""
        return self.prefill_seconds / self.prefill_tokens

    def saw_step(self, seconds: float) -> None:
        """Takes the duration of a decode step."""
        self.step_seconds += self.weight * (seconds - self.step_seconds)

    def saw_prefill(self, seconds: float, tokens: int) -> None:
        """Takes the duration of a prefill chunk."""
        self.prefill_seconds += seconds - self.weight * self.prefill_seconds
        self.prefill_tokens += tokens - self.weight * self.prefill_tokens

    def saw_both(self, seconds: float, tokens: int) -> None:
        """Takes the duration of a decode step that read `tokens` of a prompt; both means move in proportion."""
        expected = self.step_seconds + self.prefill_seconds_per_token * tokens
        factor = 1 + self.weight * (seconds / expected - 1)
        self.step_seconds *= factor
        self.prefill_seconds *= factor


class Move(NamedTuple):
    """A row to be copied over another, its first `length` tokens."""

    source: int
    target: int
    length: int


@dataclass(slots=True)
class Scheduler:
    """The engine's queues. `fits(rows, length)` is the cache's word on memory.

    `beside` is how many tokens of the prompt that is being read go through the next decode step's own pass.
    """

    fits: Callable[[int, int], bool]
    max_rows: int
    idle_chunk: int = 512
    least_chunk: int = 16
    waiting: deque[Sequence] = field(default_factory=deque)
    active: list[Sequence] = field(default_factory=list)
    prefilling: Sequence | None = None
    beside: int = 0
    scoring: list[Sequence] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    @property
    def rows_in_use(self) -> int:
        """Rows that hold a sequence."""
        return len(self.active) + (self.prefilling is not None)

    @property
    def running(self) -> list[Sequence]:
        """The sequences that hold rows."""
        return [*self.active, self.prefilling] if self.prefilling is not None else list(self.active)

    @property
    def is_idle(self) -> bool:
        """True when nothing runs and nothing waits."""
        return not (self.active or self.waiting or self.prefilling)

    def longest(self, extra: Sequence | None = None) -> int:
        """The tokens the longest row must be able to hold now, in tokens."""
        rows = [*self.running, extra] if extra is not None else self.running
        return max((len(sequence.ids) + 1 for sequence in rows), default=1)

    def next_to_prefill(self) -> Sequence | None:
        """Takes the waiting sequence that is next, or None when there is no place for it yet.

        Next is who was paused, then who asks for the scope with the fewest rows, then who came first: one caller's
        burst does not hold up another's single request.
        """
        if self.prefilling is not None or self.rows_in_use >= self.max_rows:
            return None
        rows_of = Counter(sequence.request.scope for sequence in self.running)
        first = min(
            (sequence for sequence in self.waiting if sequence.job.may_start_choice),
            key=lambda sequence: (sequence.generated == 0, rows_of[sequence.request.scope]),
            default=None,
        )
        if first is None:
            return None
        rows = self.rows_in_use + 1
        if not self.fits(rows, self.longest(first) + GROWTH_TOKENS) and not (
            rows == 1 and self.fits(1, self.longest(first))
        ):
            return None
        self.waiting.remove(first)
        first.job.running += 1
        self.prefilling = first
        return first

    def next_to_score(self, budget: int) -> list[Sequence]:
        """Takes the first waiting sequences that are only to be scored and fit `budget` tokens, into `scoring`.

        They need no row. Nobody is overtaken, and a prompt that is too long for one pass is left to be read in pieces.
        """
        tokens = scored = 0
        while self.prefilling is None and self.waiting and self.waiting[0].is_only_scored:
            first = self.waiting[0]
            tokens, scored = tokens + len(first.ids), scored + first.scored
            if tokens > (min(budget, MOST_PACKED) if self.scoring else budget) or scored > MOST_SCORED:
                break
            self.scoring.append(self.waiting.popleft())
        return self.scoring

    def chunk(self, spent_seconds: float = 0.0) -> int:
        """How many prompt tokens to read next in a step that has read for `spent_seconds`; 0 to decode now.

        Alone, a long chunk. Beside decoding rows, about as long as one of their steps takes for each one that is being
        let in: a burst decodes together soon, and a single newcomer, who gets a little less, doubles nobody's wait.
        """
        if not self.active:
            return self.idle_chunk if spent_seconds == 0 else 0
        newcomers = len(self.waiting) + (self.prefilling is not None)
        steps = min(newcomers, 8) if newcomers > 1 else SINGLE_NEWCOMER
        seconds = self.pace.step_seconds * steps - spent_seconds
        if spent_seconds > 0 and seconds <= 0:
            return 0
        return max(self.least_chunk, min(self.idle_chunk, int(seconds / self.pace.prefill_seconds_per_token)))

    def leave(self, sequence: Sequence) -> list[Move]:
        """Takes a sequence off its row; the moves that close the gap must be made in this order."""
        sequence.job.running -= 1
        if sequence is self.prefilling:
            self.prefilling = None
            return []
        row, last = self.active.index(sequence), len(self.active) - 1
        moves = []
        if row != last:
            self.active[row] = self.active[last]
            moves.append(Move(last, row, self.active[row].cached))
        self.active.pop()
        if self.prefilling is not None:
            moves.append(Move(last + 1, last, self.prefilling.cached))
        return moves

    def pause_for_growth(self) -> list[Move]:
        """Takes the youngest sequences off their rows until the rest can take one more token each.

        The paused ones wait at the front, their tokens kept, to be prefilled again later.
        """
        moves: list[Move] = []
        while self.rows_in_use > 1 and not self.fits(self.rows_in_use, self.longest()):
            moves += self.pause(
                max(self.running, key=lambda sequence: (sequence.job.arrival, sequence.choice))
            )
        return moves

    def pause(self, sequence: Sequence) -> list[Move]:
        """Puts a running sequence back to the front of the queue."""
        moves = self.leave(sequence)
        sequence.cached = 0
        self.waiting.appendleft(sequence)
        return moves
