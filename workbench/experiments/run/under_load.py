"""Quality under load: the same items one at a time, N at a time and 2 N at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind, PhaseRow, RequestKind, UnderLoadRow
from workbench.experiments.run.asking import Asker, Item, Outcome, answer_hash, judged_row, request_rows
from workbench.experiments.run.at_once import at_once
from workbench.experiments.run.calls import Respondent
from workbench.experiments.run.machine import CpuWatch
from workbench.experiments.run.progress import Pacer
from workbench.experiments.spec.experiment import CandidateSpec
from workbench.experiments.spec.load import UnderLoadSpec
from workbench.experiments.spec.probe import Probe


@dataclass(frozen=True, slots=True)
class LevelItem:
    """One item at one concurrency."""

    item: Item
    concurrency: int

    @property
    def id(self) -> str:
        """As its row calls it."""
        return f"{self.item.id}@{self.concurrency}"


class UnderLoadTest:
    """Asks the items of one probe again; what an earlier run has asked is not asked again."""

    def __init__(
        self, spec: UnderLoadSpec, folder: ExperimentFolder, asker: Asker, respondent: Respondent
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._asker = asker
        self._respondent = respondent
        self._run = secrets.token_hex(4)

    def items(self, probes: Sequence[Probe]) -> int:
        """How many there are for each candidate, over all levels."""
        return len(self._spec.levels) * len(self._probe(probes).data.samples[: self._spec.limit])

    def open_items(self, candidate: CandidateSpec, probes: Sequence[Probe]) -> list[LevelItem]:
        """What was not asked yet, level by level; an item whose request failed counts as open."""
        done = {row.id for row in self._folder.under_load.read() if row.answer_sha256}
        probe = self._probe(probes)
        samples = probe.data.samples[: self._spec.limit]
        found = [
            LevelItem(Item(candidate, probe, s, 0), level) for level in self._spec.levels for s in samples
        ]
        return [one for one in found if one.id not in done]

    async def run(self, candidate: CandidateSpec, items: Sequence[LevelItem], pacer: Pacer) -> None:
        """Asks them, level after level; each row is stored when its item is done."""
        for level in self._spec.levels:
            waiting = [one for one in items if one.concurrency == level]
            if waiting:
                pacer.enter(f"{candidate.name}: the same questions, {level} at a time", is_asking=True)
                await self._run_level(candidate, level, waiting, pacer)

    async def _run_level(
        self, candidate: CandidateSpec, level: int, items: Sequence[LevelItem], pacer: Pacer
    ) -> None:
        began_at, began, watch = datetime.now(UTC), time.monotonic(), CpuWatch()

        async def ask(one: LevelItem) -> None:
            self._store(one, await self._asker.ask(one.item, is_alone=level == 1))
            pacer.item_done()

        is_complete = False
        try:
            await at_once(items, ask, level)
            is_complete = True
        finally:
            row = PhaseRow(
                PhaseKind.UNDER_LOAD,
                candidate.name,
                self._run,
                began_at.isoformat(timespec="seconds"),
                time.monotonic() - began,
                is_complete,
                concurrency=level,
                others_cpu_share=watch.others_share(),
                foreign_requests=self._respondent.foreign_requests(),
            )
            self._folder.phases.add([row])

    def _store(self, one: LevelItem, outcome: Outcome) -> None:
        rows = request_rows(one.item, outcome.asked, self._run)
        self._folder.requests.add(
            replace(row, id=f"{one.id}/{n}", kind=RequestKind.UNDER_LOAD) for n, row in enumerate(rows)
        )
        judged = judged_row(one.item, outcome)
        self._folder.under_load.add(
            [
                UnderLoadRow(
                    id=one.id,
                    candidate=judged.candidate,
                    probe=judged.probe,
                    sample=judged.sample,
                    concurrency=one.concurrency,
                    value=judged.value,
                    failure=judged.failure,
                    finish_reason=judged.finish_reason,
                    answer_sha256=answer_hash(judged),
                )
            ]
        )

    def _probe(self, probes: Sequence[Probe]) -> Probe:
        return next(probe for probe in probes if probe.name == self._spec.probe)
