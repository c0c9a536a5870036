"""Runs an experiment: asks every item of every candidate, loads it, and stores each request as it ends.

What is stored is never asked again, so a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from evaluators.base import Answer, Sample, evaluate
from evaluators.summary import score_row
from evaluators.timing import RequestClass
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import FinishReason, TrafficClass
from workbench.core.errors import WorkbenchError
from workbench.experiments.calls import Ask, Reply, Respondent, chat_prompt, patiently
from workbench.experiments.folder import ExperimentFolder
from workbench.experiments.load_test import LoadTest
from workbench.experiments.machine import CpuWatch
from workbench.experiments.manifest import CANCELLED, FAILED, ManifestWriter
from workbench.experiments.progress import OnProgress, Pacer
from workbench.experiments.questions import Probe, open_probe
from workbench.experiments.rows import PhaseKind, PhaseRow, RequestKind, RequestRow, SampleRow, sample_id
from workbench.experiments.spec import CandidateSpec, Experiment, Mode

ITEMS_AT_ONCE = 8
"""Items asked at the same time where nobody said otherwise; each of them sends all its choices at once."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One question to one candidate."""

    candidate: CandidateSpec
    probe: Probe
    sample: Sample
    repeat: int

    @property
    def id(self) -> str:
        return sample_id(self.candidate.name, self.probe.name, self.sample.id, self.repeat)


class ExperimentRunner:
    """One experiment in one folder. `run` may be cancelled at any time; what is done is kept."""

    def __init__(
        self,
        experiment: Experiment,
        folder: ExperimentFolder,
        respondent: Respondent,
        on_progress: OnProgress,
        account: str = LOCAL_USER.account,
    ) -> None:
        self._experiment = experiment
        self._folder = folder
        self._respondent = respondent
        self._on_progress = on_progress
        self._account = account
        self._run = secrets.token_hex(4)

    async def run(self) -> None:
        """Asks what is not answered yet and loads every candidate.

        Raises: ConfigurationError when the folder holds another experiment or the data are unfit; a WorkbenchError
        when a model cannot be loaded.
        """
        self._folder.create()
        probes = [open_probe(spec, self._experiment.seed) for spec in self._experiment.probes]
        manifest = ManifestWriter(self._folder, self._experiment, probes, self._account)
        for probe in probes:
            self._folder.keep_data(probe.name, probe.data.samples)
        try:
            await self._run_all(probes, manifest)
        except asyncio.CancelledError:
            manifest.finish(CANCELLED)
            raise
        except WorkbenchError:
            manifest.finish(FAILED)
            raise
        manifest.finish()

    async def _run_all(self, probes: Sequence[Probe], manifest: ManifestWriter) -> None:
        items = {c.name: self._open_items(c, probes) for c in self._experiment.candidates}
        loads = [] if self._experiment.load is None else self._open_loads()
        total = sum(len(p.data.samples) for p in probes) * self._experiment.repeats * len(items)
        left = sum(len(rows) for rows in items.values())
        load = self._experiment.load
        rounds = len(loads) if self._experiment.mode is Mode.ISOLATED else min(len(loads), 1)
        pacer = Pacer(
            total, total - left, rounds * (0.0 if load is None else load.duration_s), self._on_progress
        )
        is_together = self._experiment.mode is Mode.CONTENDED
        seed = self._experiment.seed
        test = None if load is None else LoadTest(load, seed, self._folder, self._respondent, manifest)
        for candidate in self._experiment.candidates:
            if not items[candidate.name] and candidate not in loads:
                continue
            pacer.enter(f"{candidate.name}: loading the model")
            manifest.add_candidate(candidate, *await self._respondent.prepare(candidate.model))
            await self._ask_all(candidate, items[candidate.name], pacer, manifest)
            if test is not None and candidate in loads and not is_together:
                await test.run([candidate], pacer)
        if test is not None and loads and is_together:
            await test.run(loads, pacer)

    def _open_items(self, candidate: CandidateSpec, probes: Sequence[Probe]) -> list[_Item]:
        """What was not answered yet; an item none of whose requests got through counts as open."""
        done = {row.id for row in self._folder.samples.read() if row.failure != "RequestFailed"}
        repeats = range(self._experiment.repeats)
        items = [_Item(candidate, p, s, r) for p in probes for r in repeats for s in p.data.samples]
        return [item for item in items if item.id not in done]

    def _open_loads(self) -> list[CandidateSpec]:
        phases = self._folder.phases.read()
        done = {row.candidate for row in phases if row.kind is PhaseKind.LOAD and row.is_complete}
        return [candidate for candidate in self._experiment.candidates if candidate.name not in done]

    # -- quality --

    async def _ask_all(
        self, candidate: CandidateSpec, items: Sequence[_Item], pacer: Pacer, manifest: ManifestWriter
    ) -> None:
        if not items:
            return
        pacer.enter(f"{candidate.name}: questions", is_asking=True)
        began_at, began = datetime.now(UTC), time.monotonic()
        waiting = iter(items)
        watch = CpuWatch()

        async def work() -> None:
            for item in waiting:
                reply = await self._ask(item)
                manifest.saw(item.candidate, item.probe.evaluator.needs, reply)
                pacer.item_done()

        is_complete = False
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._experiment.concurrency or ITEMS_AT_ONCE):
                    group.create_task(work())
            is_complete = True
        finally:
            self._folder.phases.add(
                [
                    PhaseRow(
                        PhaseKind.QUALITY,
                        candidate.name,
                        self._run,
                        began_at.isoformat(timespec="seconds"),
                        time.monotonic() - began,
                        is_complete,
                        others_cpu_share=watch.others_share(),
                        foreign_requests=self._respondent.foreign_requests(),
                    )
                ]
            )

    async def _ask(self, item: _Item) -> Reply:
        """Asks one item, stores its requests and its score; the last reply."""
        if item.probe.needs_likelihoods:
            replies = await self._compare(item)
        else:
            replies = [await patiently(lambda: self._respondent.answer(self._question(item)))]
        self._folder.requests.add(self._request_row(item, n, reply) for n, reply in enumerate(replies))
        self._folder.samples.add([_judged(item, replies)])
        return replies[-1]

    async def _compare(self, item: _Item) -> list[Reply]:
        context, model = item.probe.context(item.sample), item.candidate.model
        continuations = [item.probe.continuation(item.sample, choice) for choice in item.sample.choices]
        return list(
            await asyncio.gather(
                *(
                    patiently(lambda c=c: self._respondent.likelihood(model, context, c))
                    for c in continuations
                )
            )
        )

    def _question(self, item: _Item) -> Ask:
        params = item.candidate.parameters
        asked = {"max_tokens": item.probe.spec.max_tokens} if params.max_tokens is None else {}
        if params.seed is None:
            asked["seed"] = self._experiment.seed + item.repeat
        prompt = chat_prompt(item.candidate, item.sample)
        return Ask(item.candidate.model, prompt, params.model_copy(update=asked), TrafficClass.BATCH)

    def _request_row(self, item: _Item, choice: int, reply: Reply) -> RequestRow:
        is_choice = item.probe.needs_likelihoods
        return RequestRow(
            id=f"{item.id}/{choice}",
            kind=RequestKind.LIKELIHOOD if is_choice else RequestKind.ANSWER,
            candidate=item.candidate.name,
            run=self._run,
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


def _judged(item: _Item, replies: Sequence[Reply]) -> SampleRow:
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


def _first_error(replies: Iterable[Reply]) -> str | None:
    failed = (r.timing.error or "failed" for r in replies if r.timing.outcome is RequestClass.FAILED)
    return next(failed, None)
