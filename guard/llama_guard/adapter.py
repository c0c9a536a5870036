"""Llama Guard, any generation, over any backend, as a Guard.

What is covered: text turns of both sides, in the context of the turns before them; texts longer than the
model's context, window by window. What is not: images, system prompts (the operator's own words), and
earlier turns that do not fit, which the verdict's `reason` then says.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from guard.base import Direction, Hazard, Verdict, VerdictState
from guard.llama_guard.asking import Asker, Finding
from guard.llama_guard.generations import Generation
from guard.llama_guard.parse import GarbledVerdict
from guard.llama_guard.render import Policy, TextMissing, render
from guard.turns import NothingToJudge, Side, Turn, turns_to_judge
from guard.windows import split_text, worst
from workbench.core.backend import CallContext
from workbench.core.chat import Message
from workbench.core.errors import ContextLengthExceeded, WorkbenchError

DEFAULT_THRESHOLD = 0.5
"""The model cards' threshold on the verdict's token."""

WINDOW_CHARS = 8_000
"""The longest text judged at once: about 2,000 tokens of English, so that one sentence still has weight."""

CONTEXT_CHARS = 8_000
"""How much of the earlier turns goes with it."""

OVERLAP_CHARS = 400
SMALLEST_WINDOW_CHARS = 2 * OVERLAP_CHARS
"""A window that does not fit the context is halved down to this."""

CONCURRENT_QUESTIONS = 16

_CONTEXT_CUT = "earlier turns were shortened to fit"


@dataclass(frozen=True, slots=True)
class _Question:
    """The turns of one window, and whether something before the judged turn was left out."""

    turns: tuple[Turn, ...]
    is_context_cut: bool = False


class LlamaGuard:
    """A Llama Guard with one policy. It holds no text between calls and does not own its backend."""

    def __init__(
        self,
        asker: Asker,
        generation: Generation,
        policy: Policy,
        *,
        name: str,
        fingerprint: str,
        threshold: float = DEFAULT_THRESHOLD,
    ) -> None:
        self._asker = asker
        self._policy = policy
        self._name = name
        self._threshold = threshold
        self._fingerprint = f"{fingerprint}-{_policy_hash(generation, policy)}"
        self._places = asyncio.Semaphore(CONCURRENT_QUESTIONS)

    @property
    def name(self) -> str:
        """The guard's name."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint and eight digits of the rendered policy's hash."""
        return self._fingerprint

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """The hazards of its policy."""
        return tuple(dict.fromkeys(self._policy.hazards.values()))

    def threshold_for(self, direction: Direction) -> float:
        """The threshold used when a call sets none, the same for both directions."""
        return self._threshold

    async def check(
        self,
        conversation: Sequence[Message],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> Verdict:
        """The verdict on the last turn of that direction, the worst of its windows."""
        limit = self._threshold if threshold is None else threshold
        blank = Verdict(self._name, direction, VerdictState.UNAVAILABLE, threshold=limit)
        started = time.perf_counter()
        try:
            questions = _questions(turns_to_judge(conversation, direction))
        except NothingToJudge as failure:
            return replace(blank, reason=str(failure))
        verdict = await self._judge_all(questions, blank, context)
        return replace(verdict, latency_ms=(time.perf_counter() - started) * 1000)

    async def check_many(
        self,
        conversations: Sequence[Sequence[Message]],
        direction: Direction,
        context: CallContext,
        *,
        threshold: float | None = None,
    ) -> list[Verdict]:
        """One verdict a conversation; the model works on them together."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.check(conversation, direction, context, threshold=threshold))
                for conversation in conversations
            ]
        return [task.result() for task in tasks]

    async def _judge_all(
        self, questions: Sequence[_Question], blank: Verdict, context: CallContext
    ) -> Verdict:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._judge(question, blank, context)) for question in questions]
        return worst([task.result() for task in tasks])

    async def _judge(self, question: _Question, blank: Verdict, context: CallContext) -> Verdict:
        """The verdict on one window; one that does not fit the model's context is judged in smaller ones."""
        threshold = blank.threshold if blank.threshold is not None else self._threshold
        try:
            async with self._places:
                finding = await self._asker.ask(question.turns, threshold, context)
        except ContextLengthExceeded:
            smaller = _smaller(question)
            if not smaller:
                return replace(
                    blank, reason="the policy and the smallest window do not fit the guard's context"
                )
            return await self._judge_all(smaller, blank, context)
        except (GarbledVerdict, TextMissing) as failure:
            return replace(blank, reason=str(failure))
        except WorkbenchError as failure:
            # Its message may come from a remote endpoint and quote the text.
            return replace(blank, reason=f"the guard's model failed ({type(failure).__name__})")
        return self._verdict(finding, question, blank)

    def _verdict(self, finding: Finding, question: _Question, blank: Verdict) -> Verdict:
        known = [self._policy.hazards[code] for code in finding.codes if code in self._policy.hazards]
        strange = [code for code in finding.codes if code not in self._policy.hazards]
        notes = [
            finding.note,
            f"it named categories outside its policy: {', '.join(strange)}" if strange else "",
            _CONTEXT_CUT if question.is_context_cut else "",
        ]
        return replace(
            blank,
            state=VerdictState.UNSAFE if finding.is_unsafe else VerdictState.SAFE,
            p_unsafe=finding.p_unsafe,
            hazards=tuple(dict.fromkeys(known)) if finding.is_unsafe else (),
            reported_codes=finding.codes,
            reason="; ".join(note for note in notes if note),
        )


def _questions(turns: tuple[Turn, ...]) -> list[_Question]:
    """The judged turn in windows, each after as much of the earlier turns as is sent along."""
    *earlier, judged = turns
    kept = list(earlier)
    while sum(len(turn.text) for turn in kept) > CONTEXT_CHARS and len(kept) >= 2:
        kept = kept[2:]
    is_cut = len(kept) < len(earlier)
    if kept and len(kept[0].text) > CONTEXT_CHARS:
        kept[0] = Turn(kept[0].side, kept[0].text[-CONTEXT_CHARS:])
        is_cut = True
    return [
        _Question((*kept, Turn(judged.side, piece)), is_cut)
        for piece in split_text(judged.text, WINDOW_CHARS, OVERLAP_CHARS)
    ]


def _smaller(question: _Question) -> list[_Question]:
    """The same question in less room: without the oldest turns, else with half the context, else in halves.

    Empty when nothing is left to give.
    """
    *earlier, judged = question.turns
    if len(earlier) >= 2:
        return [_Question((*earlier[2:], judged), is_context_cut=True)]
    if earlier and len(earlier[0].text) > SMALLEST_WINDOW_CHARS:
        half = Turn(Side.USER, earlier[0].text[-(len(earlier[0].text) // 2) :])
        return [_Question((half, judged), is_context_cut=True)]
    if len(judged.text) <= SMALLEST_WINDOW_CHARS:
        return []
    size = len(judged.text) // 2 + OVERLAP_CHARS
    pieces = split_text(judged.text, size, OVERLAP_CHARS)
    return [
        _Question((*earlier, Turn(judged.side, piece)), is_context_cut=question.is_context_cut)
        for piece in pieces
    ]


def _policy_hash(generation: Generation, policy: Policy) -> str:
    rendered = render(generation, policy, [Turn(Side.USER, "hello")])
    return hashlib.sha256(rendered.encode()).hexdigest()[:8]
