"""The load test of an experiment: requests on schedule, each stored when it ends."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from evaluators.data import load_builtin
from evaluators.load import open_loop
from evaluators.timing import RequestTiming
from workbench.core.chat import TrafficClass
from workbench.experiments.calls import Ask, Respondent, chat_prompt, patiently
from workbench.experiments.folder import ExperimentFolder
from workbench.experiments.machine import CpuWatch
from workbench.experiments.manifest import ManifestWriter
from workbench.experiments.progress import Pacer
from workbench.experiments.rows import PhaseKind, PhaseRow, RequestKind, RequestRow
from workbench.experiments.spec import CandidateSpec, LoadSpec

WARM_UPS = 2
DRAIN_SECONDS = 60.0
"""How long the last answers are waited for."""


class LoadTest:
    """One load for every candidate; a test that is cut short keeps its rows and is run again as a whole."""

    def __init__(
        self,
        load: LoadSpec,
        seed: int,
        folder: ExperimentFolder,
        respondent: Respondent,
        manifest: ManifestWriter,
    ) -> None:
        self._load = load
        self._seed = seed
        self._folder = folder
        self._respondent = respondent
        self._manifest = manifest
        self._questions = load_builtin(load.data).samples

    async def run(self, candidates: Sequence[CandidateSpec], pacer: Pacer) -> None:
        """Puts candidates under load, at the same time where there are several."""
        names = ", ".join(candidate.name for candidate in candidates)
        seconds = self._load.duration_s
        pacer.enter(f"{names}: warming up")
        for candidate in candidates:
            await self._warm_up(candidate)
        pacer.enter(f"{names}: {seconds:.0f} seconds of load")
        ticking = asyncio.create_task(_tick(pacer, seconds))
        try:
            async with asyncio.TaskGroup() as group:
                for candidate in candidates:
                    together = tuple(other.name for other in candidates if other is not candidate)
                    group.create_task(self._run_one(candidate, together))
            pacer.load_ended(seconds)
        finally:
            ticking.cancel()

    async def _warm_up(self, candidate: CandidateSpec) -> None:
        run = secrets.token_hex(4)
        for number in range(WARM_UPS):
            ask = self._ask(candidate, number)
            reply = await patiently(lambda ask=ask: self._respondent.answer(ask))
            self._folder.requests.add([_row(RequestKind.WARM_UP, candidate, run, number, reply.timing)])

    async def _run_one(self, candidate: CandidateSpec, together: tuple[str, ...]) -> None:
        due = self._load.due(self._seed)
        run, foreign, stored = secrets.token_hex(4), 0, 0
        began_at, began, watch = datetime.now(UTC), time.monotonic(), CpuWatch()

        async def send(request_index: int) -> RequestTiming:
            nonlocal foreign
            reply = await self._respondent.answer(self._ask(candidate, request_index))
            if not together:
                foreign = max(foreign, self._respondent.foreign_requests())
            self._manifest.saw_load(candidate, reply)
            return reply.timing

        def store(timing: RequestTiming) -> None:
            nonlocal stored
            self._folder.requests.add([_row(RequestKind.LOAD, candidate, run, stored, timing)])
            stored += 1

        is_complete = False
        try:
            await open_loop(
                send, due, duration_s=self._load.duration_s, drain_s=DRAIN_SECONDS, on_result=store
            )
            is_complete = True
        finally:
            phase = PhaseRow(
                PhaseKind.LOAD,
                candidate.name,
                run,
                began_at.isoformat(timespec="seconds"),
                time.monotonic() - began,
                is_complete,
                offered_rate=len(due) / self._load.duration_s,
                together_with=together,
                others_cpu_share=watch.others_share(),
                foreign_requests=foreign,
            )
            self._folder.phases.add([phase])

    def _ask(self, candidate: CandidateSpec, number: int) -> Ask:
        """A question whose answer has the length that was asked for, whatever the model would have said."""
        sample = self._questions[number % len(self._questions)]
        params = candidate.parameters.model_copy(
            update={
                "max_tokens": self._load.output_tokens,
                "ignore_eos": True,
                "min_tokens": None,
                "stop": None,
            }
        )
        prompt = chat_prompt(candidate, sample)
        return Ask(candidate.model, prompt, params, TrafficClass.LOAD, is_length_fixed=True)


def _row(
    kind: RequestKind, candidate: CandidateSpec, run: str, number: int, timing: RequestTiming
) -> RequestRow:
    return RequestRow(f"{candidate.name}/{kind}/{run}/{number}", kind, candidate.name, run, timing)


async def _tick(pacer: Pacer, seconds: float) -> None:
    """Lets a load test's time pass in the progress."""
    for passed in range(1, round(seconds) + 1):
        await asyncio.sleep(1.0)
        pacer.load_passed(passed)
