"""The output side of the pipeline: passed through, judged at its end, or held back until it is judged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from guard.base import Direction, Screened, ScreenedEvent, Verdict
from guard.check import Checked
from guard.policy import WindowSizes
from guard.stream import HoldBack, Transcript
from guard.windows import worst
from workbench.core.chat import Delta, FinishReason

JudgeTexts = Callable[[Sequence[str]], Awaitable[Checked]]
"""Judges texts as the assistant's answers to the conversation at hand. May raise to refuse to go on."""


class Output(Protocol):
    """What happens to the deltas of a generation."""

    @property
    def is_over(self) -> bool:
        """True when nothing further will be shown although the generation may still run."""
        ...

    async def take(self, deltas: Sequence[Delta]) -> list[ScreenedEvent]:
        """The events to show after these deltas came."""
        ...

    async def end(self) -> list[ScreenedEvent]:
        """The events to show after the last delta."""
        ...


class UnscreenedOutput:
    """Mode OFF: deltas as they come."""

    is_over = False

    async def take(self, deltas: Sequence[Delta]) -> list[ScreenedEvent]:
        """The same deltas."""
        return list(deltas)

    async def end(self) -> list[ScreenedEvent]:
        """Nothing."""
        return []


class OpenOutput:
    """Modes SCORE and SHADOW: deltas as they come, every choice judged as a whole at the end."""

    is_over = False

    def __init__(self, judge: JudgeTexts) -> None:
        self._judge = judge
        self._choices: dict[int, tuple[Transcript, list[str]]] = {}

    async def take(self, deltas: Sequence[Delta]) -> list[ScreenedEvent]:
        """The same deltas."""
        for delta in deltas:
            transcript, pieces = self._choices.setdefault(delta.index, (Transcript(), []))
            pieces.append(transcript.add(delta))
        return list(deltas)

    async def end(self) -> list[ScreenedEvent]:
        """A verdict for each choice."""
        if not self._choices:
            return []
        indexes = sorted(self._choices)
        checked = await self._judge(["".join(self._choices[index][1]) for index in indexes])
        return [
            Screened(Direction.OUTPUT, index, verdict, guard_ms=checked.took_ms)
            for index, verdict in zip(indexes, checked.verdicts, strict=True)
        ]


@dataclass(slots=True)
class _HeldChoice:
    """One choice under BLOCK. Times are time.monotonic() in seconds."""

    hold: HoldBack
    verdicts: list[Verdict] = field(default_factory=list)
    guard_ms: float = 0.0
    first_text_at: float | None = None
    holdback_ms: float | None = None
    is_over: bool = False

    def add(self, delta: Delta) -> None:
        self.hold.add(delta)
        if self.first_text_at is None and (delta.content or delta.reasoning or delta.tool_calls):
            self.first_text_at = delta.at or time.monotonic()

    def release(self) -> list[ScreenedEvent]:
        """The deltas that may be shown."""
        released = self.hold.passed()
        if released and self.first_text_at is not None and self.holdback_ms is None:
            self.holdback_ms = max(0.0, time.monotonic() - self.first_text_at) * 1000
        return list(released)

    def screened(self, index: int) -> Screened:
        """The choice's verdict over all its windows."""
        return Screened(
            Direction.OUTPUT,
            index,
            worst(self.verdicts),
            checks=len(self.verdicts),
            guard_ms=self.guard_ms,
            holdback_ms=self.holdback_ms or 0.0,
        )


class HeldOutput:
    """Mode BLOCK: no delta is shown before its window is judged; a flagged choice ends with content_filter.

    `choices` is how many there will be. Windows of several choices are judged together.
    """

    def __init__(self, judge: JudgeTexts, sizes: WindowSizes, choices: int) -> None:
        self._judge = judge
        self._sizes = sizes
        self._expected = choices
        self._choices: dict[int, _HeldChoice] = {}

    @property
    def is_over(self) -> bool:
        """True when every choice has ended here and one of them was cut off while it was still generated."""
        choices = self._choices.values()
        return (
            len(choices) >= self._expected
            and all(choice.is_over for choice in choices)
            and not all(choice.hold.is_finished for choice in choices)
        )

    async def take(self, deltas: Sequence[Delta]) -> list[ScreenedEvent]:
        """What could be released, and the verdict of each choice that ended."""
        for delta in deltas:
            choice = self._choices.setdefault(delta.index, _HeldChoice(HoldBack(self._sizes)))
            if not choice.is_over:
                choice.add(delta)
        return await self._judge_due()

    async def end(self) -> list[ScreenedEvent]:
        """Nothing: choices end with their last delta."""
        return []

    async def _judge_due(self) -> list[ScreenedEvent]:
        windows = {
            index: window
            for index, choice in sorted(self._choices.items())
            if not choice.is_over and (window := choice.hold.due()) is not None
        }
        if windows:
            checked = await self._judge(list(windows.values()))
            for index, verdict in zip(windows, checked.verdicts, strict=True):
                self._choices[index].verdicts.append(verdict)
                self._choices[index].guard_ms += checked.took_ms
        events: list[ScreenedEvent] = []
        for index, choice in sorted(self._choices.items()):
            if choice.is_over:
                continue
            if index in windows and choice.verdicts[-1].is_flagged:
                choice.is_over = True
                events.append(Delta(index, finish_reason=FinishReason.CONTENT_FILTER, at=time.monotonic()))
                events.append(choice.screened(index))
            elif index in windows or choice.hold.is_finished:
                events.extend(choice.release())
                if choice.hold.is_finished:
                    choice.is_over = True
                    events.append(choice.screened(index))
        return events
