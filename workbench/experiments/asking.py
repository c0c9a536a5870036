"""One item put to one candidate: what is sent, what is stored of it, and how it is judged."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.base import Answer, Sample, evaluate
from evaluators.summary import score_row
from evaluators.timing import RequestClass
from workbench.core.chat import FinishReason, TrafficClass
from workbench.experiments.calls import Ask, Reply, Respondent, chat_prompt, patiently
from workbench.experiments.questions import Probe
from workbench.experiments.rows import RequestKind, RequestRow, SampleRow, sample_id
from workbench.experiments.spec import CandidateSpec


@dataclass(frozen=True, slots=True)
class Item:
    """One question to one candidate."""

    candidate: CandidateSpec
    probe: Probe
    sample: Sample
    repeat: int

    @property
    def id(self) -> str:
        """As its row calls it."""
        return sample_id(self.candidate.name, self.probe.name, self.sample.id, self.repeat)


class Asker:
    """Sends what an item asks. `seed` fixes the draws of candidates that name none."""

    def __init__(self, respondent: Respondent, seed: int) -> None:
        self._respondent = respondent
        self._seed = seed

    async def replies(self, item: Item, *, is_alone: bool = False) -> list[Reply]:
        """The written answer, or a reply for each choice; `is_alone` sends them one after another."""
        if not item.probe.needs_likelihoods:
            return [await patiently(lambda: self._respondent.answer(self._question(item)))]
        context, model = item.probe.context(item.sample), item.candidate.model
        continuations = [item.probe.continuation(item.sample, choice) for choice in item.sample.choices]

        def score(continuation: str) -> Coroutine[Any, Any, Reply]:
            return patiently(lambda: self._respondent.likelihood(model, context, continuation))

        if is_alone:
            return [await score(continuation) for continuation in continuations]
        return list(await asyncio.gather(*map(score, continuations)))

    def _question(self, item: Item) -> Ask:
        params = item.candidate.parameters
        asked = {"max_tokens": item.probe.spec.max_tokens} if params.max_tokens is None else {}
        if params.seed is None:
            asked["seed"] = self._seed + item.repeat
        prompt = chat_prompt(item.candidate, item.sample)
        return Ask(item.candidate.model, prompt, params.model_copy(update=asked), TrafficClass.BATCH)


def request_row(item: Item, choice: int, reply: Reply, run: str) -> RequestRow:
    """What is stored of one request of an item."""
    is_choice = item.probe.needs_likelihoods
    return RequestRow(
        id=f"{item.id}/{choice}",
        kind=RequestKind.LIKELIHOOD if is_choice else RequestKind.ANSWER,
        candidate=item.candidate.name,
        run=run,
        timing=reply.timing,
        probe=item.probe.name,
        sample=item.sample.id,
        repeat=item.repeat,
        choice=choice if is_choice else None,
        likelihood=reply.likelihood,
        finish_reason=reply.finish_reason,
        prompt_sha256=reply.prompt_sha256,
        answer_sha256=reply.answer_sha256,
        fingerprint=reply.fingerprint,
    )


def judged_row(item: Item, replies: Sequence[Reply]) -> SampleRow:
    """The item's row with its score; a request that failed makes no score and no 0."""
    sample, evaluator = item.sample, item.probe.evaluator
    row = SampleRow(
        id=item.id,
        candidate=item.candidate.name,
        probe=item.probe.name,
        sample=sample.id,
        repeat=item.repeat,
        evaluator=evaluator.name,
        value=None,
        reason="",
        failure="",
        prompt=sample.prompt or "\n".join(message.content for message in sample.messages),
        choices=sample.choices,
        expected=sample.expected,
        answer=replies[0].text,
        finish_reason=replies[0].finish_reason or FinishReason.STOP,
        likelihoods=tuple(reply.likelihood for reply in replies if reply.likelihood is not None),
    )
    failed = _first_error(replies)
    if failed is not None:
        return replace(row, reason=failed, failure="RequestFailed")
    outcome = evaluate(evaluator, sample, Answer(row.answer, row.finish_reason, row.likelihoods))
    scored = score_row(row.candidate, sample, row.repeat, evaluator, outcome)
    return replace(row, value=scored.value, reason=scored.reason, failure=scored.failure)


def answer_hash(row: SampleRow) -> str:
    """A hash of what was said: the written answer, or the likeliest choice a byte; empty where a request failed."""
    if row.failure == "RequestFailed":
        return ""
    if not row.likelihoods or len(row.likelihoods) != len(row.choices):
        return hashlib.sha256(row.answer.encode()).hexdigest()[:16]
    pairs = zip(row.likelihoods, row.choices, strict=True)
    likeliest = max(pairs, key=lambda pair: pair[0].logprob / (len(pair[1].encode()) or 1))[1]
    return hashlib.sha256(likeliest.encode()).hexdigest()[:16]


def _first_error(replies: Iterable[Reply]) -> str | None:
    failed = (r.timing.error or "failed" for r in replies if r.timing.outcome is RequestClass.FAILED)
    return next(failed, None)
