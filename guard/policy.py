"""What is to be done with verdicts: who is screened, how strictly, and who may change that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from guard.base import Direction, Guard, Verdict, VerdictState


class Mode(StrEnum):
    """What a verdict does, from nothing to most.

    SHADOW is judged and counted, and the caller is told nothing; SCORE tells the caller; BLOCK refuses a
    flagged input and holds output back until it is judged.
    """

    OFF = "off"
    SHADOW = "shadow"
    SCORE = "score"
    BLOCK = "block"

    @property
    def is_told(self) -> bool:
        """True when the caller gets to see the verdict."""
        return self in (Mode.SCORE, Mode.BLOCK)


_STRICTNESS = {Mode.OFF: 0, Mode.SHADOW: 1, Mode.SCORE: 2, Mode.BLOCK: 3}


@dataclass(frozen=True, slots=True)
class DirectionPolicy:
    """Screening of one direction.

    `threshold` None is the guard's own. `categories` are the hazard codes that count, None for all; a text
    flagged without a reason always counts.
    """

    mode: Mode = Mode.OFF
    threshold: float | None = None
    categories: frozenset[str] | None = None

    def judged(self, verdict: Verdict) -> Verdict:
        """The verdict as this policy sees it: safe when every hazard named is one that does not count."""
        if not verdict.is_flagged or self.categories is None or not verdict.hazards:
            return verdict
        if any(hazard.code in self.categories for hazard in verdict.hazards):
            return verdict
        codes = ", ".join(hazard.code for hazard in verdict.hazards)
        return replace(
            verdict, state=VerdictState.SAFE, hazards=(), reason=f"only categories that do not count: {codes}"
        )

    def marking(self) -> DirectionPolicy:
        """SCORE in place of BLOCK, any other mode as it is."""
        return replace(self, mode=Mode.SCORE) if self.mode is Mode.BLOCK else self

    def tightened(self, asked: DirectionPolicy, *, guard_threshold: float) -> DirectionPolicy:
        """This policy with what `asked` adds to its strictness; nothing asked for can make it looser.

        `guard_threshold` is what a threshold of None stands for.
        """
        if self.mode is Mode.OFF:
            return asked
        if asked.mode is Mode.OFF:
            return self
        thresholds = [part.threshold for part in (self, asked)]
        lowest = min(guard_threshold if value is None else value for value in thresholds)
        return DirectionPolicy(
            mode=max(self.mode, asked.mode, key=_STRICTNESS.__getitem__),
            threshold=None if thresholds == [None, None] else lowest,
            categories=(
                None
                if self.categories is None or asked.categories is None
                else self.categories | asked.categories
            ),
        )


@dataclass(frozen=True, slots=True)
class WindowSizes:
    """How streamed output is cut for screening, in characters.

    A check sees the last `window_chars`. The first one comes after `first_chars`, so that something can be
    shown early; the distance then doubles up to `stride_chars`. Text is released once `lookahead_chars`
    after it have been judged with it: a word is never shown before its end is known.
    """

    window_chars: int = 1200
    first_chars: int = 80
    stride_chars: int = 320
    lookahead_chars: int = 24

    def __post_init__(self) -> None:
        if not 0 <= self.lookahead_chars < self.first_chars <= self.stride_chars < self.window_chars:
            raise ValueError("sizes must grow: lookahead < first <= stride < window")


@dataclass(frozen=True, slots=True)
class ScreeningPolicy:
    """Both directions, and what happens when the guard cannot judge.

    Under BLOCK an unjudged text is refused, unless `is_fail_open`. `timeout_seconds` is the longest a check
    may take; after it the text counts as unjudged.
    """

    input: DirectionPolicy = DirectionPolicy()
    output: DirectionPolicy = DirectionPolicy()
    is_fail_open: bool = False
    timeout_seconds: float = 60.0
    windows: WindowSizes = field(default_factory=WindowSizes)

    @property
    def is_off(self) -> bool:
        """True when nothing is judged."""
        return self.input.mode is Mode.OFF and self.output.mode is Mode.OFF

    def of(self, direction: Direction) -> DirectionPolicy:
        """The policy of one direction."""
        return self.input if direction is Direction.INPUT else self.output

    def marking(self) -> ScreeningPolicy:
        """This policy with marks in place of blocks: everything is judged as before, and nothing held back."""
        return replace(self, input=self.input.marking(), output=self.output.marking())

    def tightened(self, asked: ScreeningPolicy, guard: Guard) -> ScreeningPolicy:
        """This policy with what `asked` adds to its strictness. All that is not a direction's stays as it is."""
        inward, outward = (
            guard.threshold_for(direction) for direction in (Direction.INPUT, Direction.OUTPUT)
        )
        return replace(
            self,
            input=self.input.tightened(asked.input, guard_threshold=inward),
            output=self.output.tightened(asked.output, guard_threshold=outward),
        )
