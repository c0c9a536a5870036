"""Runs an experiment: asks every item of every candidate, loads it, and stores each request as it ends.

What is stored is never asked again, so a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from evaluators.base import Answer, Need
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import ConfigurationError, WorkbenchError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind, PhaseRow
from workbench.experiments.results.load import limits_of
from workbench.experiments.run.asking import Asker, Item, answer_of, judged_row, request_rows
from workbench.experiments.run.at_once import at_once
from workbench.experiments.run.calls import Respondent
from workbench.experiments.run.harness_rows import harness_rows
from workbench.experiments.run.judging import PairJudge
from workbench.experiments.run.load_test import LoadTest
from workbench.experiments.run.machine import CpuWatch
from workbench.experiments.run.manifest import CANCELLED, FAILED, ManifestWriter
from workbench.experiments.run.progress import OnProgress, Pacer
from workbench.experiments.run.under_load import UnderLoadTest
from workbench.experiments.spec.experiment import CODE_EVALUATOR, CandidateSpec, Experiment, Mode
from workbench.experiments.spec.family import refuse_own_family
from workbench.experiments.spec.probe import Probe, open_probe

ITEMS_AT_ONCE = 8
"""Items asked at the same time where nobody said otherwise; each of them sends all its choices at once.

Items with one written answer each are asked as many at a time as the engine has places, if those are more.
"""


class ExperimentRunner:
    """One experiment in one folder. `run` may be cancelled at any time; what is done is kept.

    `may_run_code` lets evaluators be a team's own Python. Raises: ConfigurationError as `refuse_experiment`.
    """

    def __init__(
        self,
        experiment: Experiment,
        folder: ExperimentFolder,
        respondent: Respondent,
        on_progress: OnProgress,
        account: str = LOCAL_USER.account,
        *,
        may_run_code: bool = False,
    ) -> None:
        refuse_experiment(experiment, may_run_code=may_run_code)
        self._experiment = experiment
        self._folder = folder
        self._respondent = respondent
        self._on_progress = on_progress
        self._account = account
        self._run = secrets.token_hex(4)
        self._places = ITEMS_AT_ONCE
        self._asker = Asker(experiment, respondent)

    async def run(self) -> None:
        """Asks what is not answered yet and loads every candidate.

        Raises: ConfigurationError when the folder holds another experiment or is in use, or the data are unfit; a
        WorkbenchError when a model cannot be loaded.
        """
        with self._folder.held():
            await self._run_held()

    async def _run_held(self) -> None:
        self._folder.create()
        seed, data_path = self._experiment.seed, self._folder.data_path
        probes = [open_probe(spec, seed, data_path(spec.name)) for spec in self._experiment.probes]
        manifest = ManifestWriter(self._folder, self._experiment, probes, self._account)
        if self._experiment.judge is not None:
            manifest.add_judge(*await self._respondent.prepare(self._experiment.judge.model))
        if any(probe.evaluator.needs is Need.VERDICT for probe in probes):
            manifest.add_guard(await self._respondent.guard_name())
        for probe in probes:
            self._folder.keep_data(probe.name, probe.data.samples)
        self._bring_in_harness(manifest)
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
        test, under_load = self._load_test(manifest), self._under_load_test()
        loads = [] if test is None else [c for c in self._experiment.candidates if not test.is_done(c.name)]
        total = sum(len(p.data.samples) for p in probes) * self._experiment.repeats * len(items)
        left = sum(len(rows) for rows in items.values())
        if under_load is not None:
            total += under_load.items(probes) * len(items)
            left += sum(len(under_load.open_items(c, probes)) for c in self._experiment.candidates)
        is_together = self._experiment.mode is Mode.CONTENDED
        rounds = min(len(loads), 1) if is_together else len(loads)
        pacer = Pacer(
            total, total - left, rounds * (0.0 if test is None else test.seconds), self._on_progress
        )
        for candidate in self._experiment.candidates:
            again = [] if under_load is None else under_load.open_items(candidate, probes)
            if not items[candidate.name] and candidate not in loads and not again:
                continue
            pacer.enter(f"{candidate.name}: loading the model")
            card, info = await self._respondent.prepare(candidate.model)
            manifest.add_candidate(candidate, card, info)
            self._places = card.max_concurrency or info.places or ITEMS_AT_ONCE
            await self._ask_all(candidate, items[candidate.name], pacer, manifest)
            if under_load is not None and again:
                await under_load.run(candidate, again, pacer)
            if test is not None and candidate in loads and not is_together:
                await test.run([candidate], pacer)
        if test is not None and loads and is_together:
            await test.run(loads, pacer)
        await self._judge_pairs(pacer)

    def _bring_in_harness(self, manifest: ManifestWriter) -> None:
        """The harness's items as rows; those an earlier run has brought in stay as they are."""
        for spec in self._experiment.harness:
            kept = [row for row in self._folder.samples.read() if row.probe == spec.name]
            done = {row.candidate for row in kept}
            fresh = harness_rows(spec, done)
            self._folder.samples.add(fresh)
            manifest.add_harness(spec, [*kept, *fresh])

    def _open_items(self, candidate: CandidateSpec, probes: Sequence[Probe]) -> list[Item]:
        """What was not answered yet; an item none of whose requests got through counts as open."""
        done = {row.id for row in self._folder.samples.read() if row.failure != "RequestFailed"}
        repeats = range(self._experiment.repeats)
        items = [Item(candidate, p, s, r) for p in probes for r in repeats for s in p.data.samples]
        return [item for item in items if item.id not in done]

    def _load_test(self, manifest: ManifestWriter) -> LoadTest | None:
        experiment = self._experiment
        if experiment.load is None:
            return None
        limits = limits_of(experiment.parsed_requirements)
        return LoadTest(experiment.load, limits, experiment.seed, self._folder, self._respondent, manifest)

    def _under_load_test(self) -> UnderLoadTest | None:
        asked = self._experiment.under_load
        return None if asked is None else UnderLoadTest(asked, self._folder, self._asker, self._respondent)

    # -- quality --

    async def _ask_all(
        self, candidate: CandidateSpec, items: Sequence[Item], pacer: Pacer, manifest: ManifestWriter
    ) -> None:
        if not items:
            return
        pacer.enter(f"{candidate.name}: questions", is_asking=True)
        began_at, began = datetime.now(UTC), time.monotonic()
        watch = CpuWatch()
        is_complete = False
        try:
            fresh = [item for item in items if not item.probe.spec.answers_of]
            compared = [item for item in fresh if item.probe.evaluator.needs is Need.LIKELIHOODS]
            written = [item for item in fresh if item.probe.evaluator.needs is not Need.LIKELIHOODS]
            await self._ask_at_once(compared, {}, pacer, manifest)
            await self._ask_at_once(written, {}, pacer, manifest, most=max(self._places, ITEMS_AT_ONCE))
            again = [item for item in items if item.probe.spec.answers_of]
            await self._ask_at_once(again, self._kept_answers() if again else {}, pacer, manifest)
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

    async def _ask_at_once(
        self,
        items: Sequence[Item],
        kept: Mapping[str, Answer],
        pacer: Pacer,
        manifest: ManifestWriter,
        *,
        most: int = ITEMS_AT_ONCE,
    ) -> None:
        """Asks the items, `most` at a time unless the experiment says how many.

        Those whose source has an answer among `kept` are only judged.
        """

        async def ask(item: Item) -> None:
            outcome = await self._asker.ask(item, kept.get(item.source_id))
            self._folder.requests.add(request_rows(item, outcome.asked, self._run))
            self._folder.samples.add([judged_row(item, outcome)])
            for one in outcome.asked:
                manifest.saw(item.candidate, one.kind, one.reply)
            pacer.item_done()

        await at_once(items, ask, self._experiment.concurrency or most)

    async def _judge_pairs(self, pacer: Pacer) -> None:
        """The candidates' answers compared, when all are there."""
        if self._experiment.judge is None:
            return
        judge = PairJudge(self._experiment, self._experiment.judge, self._folder, self._respondent, self._run)
        pairs = judge.pairs()
        done = 0

        def tell() -> None:
            nonlocal done
            done += 1
            pacer.enter(f"judging pairs of answers, {done} of {len(pairs)}")

        await judge.run(pairs, tell)

    def _kept_answers(self) -> dict[str, Answer]:
        """Every answer that came, by its row's id."""
        return {
            row.id: answer_of(row) for row in self._folder.samples.read() if row.failure != "RequestFailed"
        }


def refuse_experiment(experiment: Experiment, *, may_run_code: bool) -> None:
    """Nothing, for an experiment that may be run here.

    Raises: ConfigurationError naming a probe that would run code where that is not allowed, or a judge of a
    candidate's own family.
    """
    for probe in experiment.probes:
        if probe.evaluator == CODE_EVALUATOR and not may_run_code:
            raise ConfigurationError(
                f"The probe {probe.name} would run a Python file. Only `workbench evaluate` does that."
            )
    if experiment.judge is not None:
        refuse_own_family(experiment.judge.model, [candidate.model for candidate in experiment.candidates])
