"""The embedded classifier as a Guard: turns in, verdicts out, one worker thread.

Covered: the last turn of the judged side; for an answer, the user turn before it as its context. Not covered: harm
that only shows over several turns, system messages, pictures.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

from guard.base import Direction, Guard, GuardOptions, Hazard, Verdict, VerdictState
from guard.embedded.calibration import Calibration
from guard.embedded.classifier import EmbeddedClassifier, EmbeddedScore, Item
from guard.taxonomy import STANDARD_BY_CODE, STANDARD_HAZARDS
from guard.turns import NothingToJudge, Side, turns_to_judge
from workbench.core.backend import Backend, CallContext
from workbench.core.chat import Message

NAME = "embedded"
LEAST_SHARE = 0.3  # of P(unsafe): a hazard with less is named only if it is the highest
NOT_ENGLISH = "the text does not look like English, the only language this guard was trained on"


class EmbeddedGuard:
    """Judges with the bundled classifier, which is loaded on the first check."""

    def __init__(self, name: str = NAME, threshold: float | None = None) -> None:
        folder = resources.files("assets") / "guard"
        stored = (folder / "calibration.json").read_text(encoding="utf-8")
        calibration = Calibration.from_json(stored)
        self._name = name
        self._thresholds = {
            Direction.INPUT: calibration.prompt_threshold if threshold is None else threshold,
            Direction.OUTPUT: calibration.response_threshold if threshold is None else threshold,
        }
        self._fingerprint = f"{NAME}-{calibration.version}-{hashlib.sha256(stored.encode()).hexdigest()[:8]}"
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-guard")
        self._classifier: EmbeddedClassifier | None = None  # touched by the worker only

    @property
    def name(self) -> str:
        """The guard's name."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """The version of the weights and a hash of their calibration."""
        return self._fingerprint

    def threshold_for(self, direction: Direction) -> float:
        """The threshold used when a call sets none; prompts and answers have different ones."""
        return self._thresholds[direction]

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """S1..S14."""
        return STANDARD_HAZARDS

    async def check(
        self,
        conversation: Sequence[Message],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> Verdict:
        """The verdict on one conversation."""
        return (await self.check_many([conversation], direction, context, threshold=threshold))[0]

    async def check_many(
        self,
        conversations: Sequence[Sequence[Message]],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> list[Verdict]:
        """One verdict a conversation; `latency_ms` is that of the whole call."""
        started = time.perf_counter()
        items = [_item(conversation, direction) for conversation in conversations]
        scores = iter(await self._scores([item for item in items if item is not None]))
        latency_ms = (time.perf_counter() - started) * 1000
        cut = self._thresholds[direction] if threshold is None else threshold
        return [
            self._unjudged(direction)
            if item is None
            else self._verdict(next(scores), direction, cut, latency_ms)
            for item in items
        ]

    async def _scores(self, items: Sequence[Item]) -> list[EmbeddedScore]:
        """Scores from the worker, which stops at its next batch when the awaiting task is cancelled."""
        if not items:
            return []
        is_cancelled = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._worker, self._score, items, is_cancelled
            )
        finally:
            is_cancelled.set()

    def _score(self, items: Sequence[Item], is_cancelled: threading.Event) -> list[EmbeddedScore]:
        if self._classifier is None:
            self._classifier = EmbeddedClassifier.load()
        return self._classifier.score(items, is_cancelled.is_set)

    def _unjudged(self, direction: Direction) -> Verdict:
        reason = "the conversation has no turn to judge"
        return Verdict(self._name, direction, VerdictState.UNAVAILABLE, reason=reason)

    def _verdict(self, score: EmbeddedScore, direction: Direction, cut: float, latency_ms: float) -> Verdict:
        is_unsafe = score.p_unsafe >= cut
        codes = _named_codes(score) if is_unsafe else ()
        return Verdict(
            guard=self._name,
            direction=direction,
            state=VerdictState.UNSAFE if is_unsafe else VerdictState.SAFE,
            p_unsafe=score.p_unsafe,
            threshold=cut,
            hazards=tuple(STANDARD_BY_CODE[code] for code in codes),
            hazard_scores=score.categories,
            reported_codes=codes,
            latency_ms=latency_ms,
            reason="" if score.is_english else NOT_ENGLISH,
        )


def _item(conversation: Sequence[Message], direction: Direction) -> Item | None:
    """The judged text with its context, or None where there is no turn to judge."""
    try:
        turns = turns_to_judge(conversation, direction)
    except NothingToJudge:
        return None
    if direction is Direction.INPUT:
        return turns[-1].text, None
    asked = [turn.text for turn in turns[:-1] if turn.side is Side.USER]
    return (asked[-1] if asked else ""), turns[-1].text


def _named_codes(score: EmbeddedScore) -> tuple[str, ...]:
    """The highest hazard, and others with a fair share of P(unsafe), highest first."""
    ranked = sorted(score.categories, key=score.categories.__getitem__, reverse=True)
    fair = [code for code in ranked[1:] if score.categories[code] >= LEAST_SHARE * score.p_unsafe]
    return (ranked[0], *fair)


def open_guard(options: GuardOptions, backend: Backend | None = None) -> Guard:
    """The embedded guard under the name and threshold of `options`; it needs no backend."""
    return EmbeddedGuard(options.name or NAME, options.threshold)
