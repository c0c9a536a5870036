"""How one item is asked: a text, the likelihood of each choice, or a text and what a judge or the guard says of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from evaluators.base import Answer, JudgedEvaluator, Need, Sample, evaluate
from evaluators.reason_consistency import reason_context, stated_choice
from evaluators.summary import score_row
from evaluators.timing import RequestClass
from workbench.core.chat import ChatPrompt, FinishReason, Message, Role, TrafficClass
from workbench.core.errors import ConfigurationError
from workbench.core.params import GenerationParams
from workbench.experiments.record.rows import RequestKind, RequestRow, SampleRow, sample_id
from workbench.experiments.run.calls import Ask, Reply, Respondent, chat_prompt, patiently
from workbench.experiments.spec.experiment import CandidateSpec, Experiment
from workbench.experiments.spec.probe import Probe

_REASON_SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class Item:
    """One question to one candidate."""

    candidate: CandidateSpec
    probe: Probe
    sample: Sample
    repeat: int

    @property
    def id(self) -> str:
        """Of its row."""
        return self._id_under(self.probe.name)

    @property
    def source_id(self) -> str:
        """Of the row whose answer this item judges once more; its own where it is asked itself."""
        return self._id_under(self.probe.spec.answers_of or self.probe.name)

    def _id_under(self, probe: str) -> str:
        return sample_id(self.candidate.name, probe, self.sample.id, self.repeat)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its reply. `choice` is the position of the choice whose likelihood was asked."""

    kind: RequestKind
    reply: Reply
    choice: int | None = None

    @property
    def error(self) -> str:
        """Why it failed; empty when it did not."""
        timing = self.reply.timing
        return timing.error or "failed" if timing.outcome is RequestClass.FAILED else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item came to."""

    asked: tuple[Asked, ...]
    answer: Answer


class Asker:
    """Asks the candidates, and those who judge them."""

    def __init__(self, experiment: Experiment, respondent: Respondent) -> None:
        self._experiment = experiment
        self._respondent = respondent

    async def ask(self, item: Item, known: Answer | None = None, *, is_alone: bool = False) -> Outcome:
        """The item asked as its evaluator needs it.

        A `known` answer is not asked for again; `is_alone` sends the requests for several choices one after another.
        """
        if item.probe.evaluator.needs is Need.LIKELIHOODS:
            probe, sample = item.probe, item.sample
            continuations = [probe.continuation(sample, choice) for choice in sample.choices]
            return _compared(
                (),
                Answer(),
                await self._compare(item, probe.context(sample), continuations, is_alone=is_alone),
            )
        if known is not None:
            return await self._hear_others(item, (), known)
        first = await self._answer(item)
        answer = Answer(first.reply.text, first.reply.finish_reason or FinishReason.STOP)
        return Outcome((first,), answer) if first.error else await self._hear_others(item, (first,), answer)

    async def _hear_others(self, item: Item, asked: tuple[Asked, ...], answer: Answer) -> Outcome:
        """The answer with what its evaluator needs beside it."""
        match item.probe.evaluator.needs:
            case Need.REASONED if stated_choice(item.sample, answer.text) is not None:
                context = reason_context(item.sample, answer.text)
                continuations = [_REASON_SEPARATOR + choice for choice in item.sample.choices]
                return _compared(asked, answer, await self._compare(item, context, continuations))
            case Need.JUDGEMENT:
                judged = await self._judge(item, answer)
                return Outcome((*asked, judged), replace(answer, judgement=judged.reply.text))
            case Need.VERDICT:
                messages = chat_prompt(item.candidate, item.sample).messages
                flagged = await self._respondent.is_unsafe((*messages, Message(Role.ASSISTANT, answer.text)))
                return Outcome(asked, replace(answer, is_flagged=flagged))
            case _:
                return Outcome(asked, answer)

    async def _compare(
        self, item: Item, context: str, continuations: Sequence[str], *, is_alone: bool = False
    ) -> list[Asked]:
        model = item.candidate.model

        def score(continuation: str) -> Coroutine[Any, Any, Reply]:
            return patiently(lambda: self._respondent.likelihood(model, context, continuation))

        if is_alone:
            replies = [await score(continuation) for continuation in continuations]
        else:
            replies = list(await asyncio.gather(*map(score, continuations)))
        return [Asked(RequestKind.LIKELIHOOD, reply, choice) for choice, reply in enumerate(replies)]

    async def _answer(self, item: Item) -> Asked:
        return Asked(
            RequestKind.ANSWER, await patiently(lambda: self._respondent.answer(self._question(item)))
        )

    async def _judge(self, item: Item, answer: Answer) -> Asked:
        judge = self._experiment.judge
        if judge is None:
            raise ConfigurationError(f"The probe {item.probe.name} needs a judge.")
        text = cast(JudgedEvaluator, item.probe.evaluator).question(item.sample, answer.text)
        ask = judge_ask(judge.model, text, judge.max_tokens, self._experiment.seed)
        return Asked(RequestKind.JUDGE, await patiently(lambda: self._respondent.answer(ask)))

    def _question(self, item: Item) -> Ask:
        params = item.candidate.parameters
        asked = {"max_tokens": item.probe.spec.max_tokens} if params.max_tokens is None else {}
        if params.seed is None:
            asked["seed"] = self._experiment.seed + item.repeat
        return Ask(
            item.candidate.model,
            chat_prompt(item.candidate, item.sample),
            params.model_copy(update=asked),
            TrafficClass.BATCH,
            has_surprises=item.probe.evaluator.needs is Need.REASONED,
        )


def judge_ask(model: str, text: str, max_tokens: int, seed: int) -> Ask:
    """A question to a judge: greedy, so that it says the same of the same answer."""
    params = GenerationParams(temperature=0.0, max_tokens=max_tokens, seed=seed)
    return Ask(model, ChatPrompt((Message(Role.USER, text),)), params, TrafficClass.BATCH)


def request_rows(item: Item, asked: Sequence[Asked], run: str) -> list[RequestRow]:
    """The item's requests as rows."""
    name, probe, sample = item.candidate.name, item.probe.name, item.sample.id
    return [
        request_row(one, f"{item.id}/{number}", name, run, probe, sample, item.repeat)
        for number, one in enumerate(asked)
    ]


def request_row(
    one: Asked, id_: str, candidate: str, run: str, probe: str, sample: str, repeat: int = 0
) -> RequestRow:
    """The request as a row: no text."""
    reply = one.reply
    return RequestRow(
        id=id_,
        kind=one.kind,
        candidate=candidate,
        run=run,
        timing=reply.timing,
        probe=probe,
        sample=sample,
        repeat=repeat,
        choice=one.choice,
        likelihood=reply.likelihood,
        finish_reason=reply.finish_reason,
        prompt_sha256=reply.prompt_sha256,
        answer_sha256=reply.answer_sha256,
        fingerprint=reply.fingerprint,
    )


def judged_row(item: Item, outcome: Outcome) -> SampleRow:
    """The item's row with its score; a request that failed makes no score and no 0."""
    sample, evaluator, answer = item.sample, item.probe.evaluator, outcome.answer
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
        answer=answer.text,
        finish_reason=answer.finish_reason,
        likelihoods=answer.likelihoods,
        judgement=answer.judgement,
        is_flagged=answer.is_flagged,
        tokens=next((one.reply.tokens for one in outcome.asked if one.kind is RequestKind.ANSWER), ()),
    )
    error = next((one.error for one in outcome.asked if one.error), "")
    if error:
        return replace(row, reason=error, failure="RequestFailed")
    scored = score_row(row.candidate, sample, row.repeat, evaluator, evaluate(evaluator, sample, answer))
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


def answer_of(row: SampleRow) -> Answer:
    """The answer that a row keeps, to be judged once more."""
    return Answer(row.answer, row.finish_reason)


def _compared(asked: tuple[Asked, ...], answer: Answer, choices: Sequence[Asked]) -> Outcome:
    found = tuple(one.reply.likelihood for one in choices if one.reply.likelihood is not None)
    return Outcome((*asked, *choices), replace(answer, likelihoods=found))
