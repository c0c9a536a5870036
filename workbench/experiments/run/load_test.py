"""The load test of an experiment: requests on schedule, each stored when it ends."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from evaluators.data import load_builtin
from evaluators.load import (
    MINIMUM_REQUESTS,
    LevelState,
    LoadLevel,
    LoadRun,
    OnResult,
    Send,
    climb,
    closed_loop,
    open_loop,
)
from evaluators.speed import Limits
from evaluators.timing import RequestTiming
from workbench.core.chat import TrafficClass
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind, PhaseRow, RequestKind, RequestRow
from workbench.experiments.results.levels import judged, last_runs
from workbench.experiments.run.at_once import at_once
from workbench.experiments.run.calls import Ask, Reply, Respondent, chat_prompt, patiently
from workbench.experiments.run.machine import CpuWatch
from workbench.experiments.run.manifest import ManifestWriter
from workbench.experiments.run.progress import Pacer
from workbench.experiments.spec.experiment import CandidateSpec
from workbench.experiments.spec.load import LoadShape, LoadSpec

WARM_UPS = 2
DRAIN_SECONDS = 60.0
"""How long the last answers are waited for."""
_WORST_FIRST = (LevelState.OVERLOADED, LevelState.UNCLEAR, LevelState.SUSTAINED)
_FIELD_REFUSED = ("unsupported_parameter", "InvalidRequest")


@dataclass(slots=True)
class _Stretch:
    """One stretch of load on one candidate, while it lasts."""

    candidate: CandidateSpec
    asked_rate: float | None
    together: tuple[str, ...]
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)
    watch: CpuWatch = field(default_factory=CpuWatch)
    foreign: int = 0
    stored: int = 0


class LoadTest:
    """One load for every candidate; a stretch that is cut short keeps its rows and is run again as a whole."""

    def __init__(
        self,
        load: LoadSpec,
        limits: Limits,
        seed: int,
        folder: ExperimentFolder,
        respondent: Respondent,
        manifest: ManifestWriter,
    ) -> None:
        self._load = load
        self._limits = limits
        self._seed = seed
        self._folder = folder
        self._respondent = respondent
        self._manifest = manifest
        self._of_any_length: set[str] = set()
        self._questions = load_builtin(load.data).samples

    @property
    def seconds(self) -> float:
        """How long it lasts for one candidate; of a sweep, when every level it may take is taken."""
        return self._load.longest_s

    @property
    def _is_sweep(self) -> bool:
        return self._load.shape is LoadShape.SWEEP

    def is_done(self, candidate: str) -> bool:
        """Whether an earlier run has finished it."""
        kind = PhaseKind.SWEEP if self._is_sweep else PhaseKind.LOAD
        phases = self._folder.phases.read()
        return any(row.kind is kind and row.candidate == candidate and row.is_complete for row in phases)

    async def run(self, candidates: Sequence[CandidateSpec], pacer: Pacer) -> None:
        """Puts candidates under load, at the same time where there are several."""
        names = ", ".join(candidate.name for candidate in candidates)
        pacer.enter(f"{names}: warming up")
        for candidate in candidates:
            await self._warm_up(candidate)
        if self._is_sweep:
            await self._sweep(candidates, pacer)
        else:
            pacer.enter(f"{names}: load, {self._load.sentence}")
            async with _Ticking(pacer, self._load.duration_s):
                await self._together(candidates, None, self._seed)
        pacer.load_ended(self.seconds)

    async def _together(
        self, candidates: Sequence[CandidateSpec], rate: float | None, seed: int
    ) -> list[LoadLevel]:
        """One stretch of load on each candidate at the same time; what each came to, in their order."""
        levels: dict[str, LoadLevel] = {}

        async def measure(candidate: CandidateSpec) -> None:
            together = tuple(other.name for other in candidates if other is not candidate)
            phase, timings = await self._stretch(_Stretch(candidate, rate, together), seed)
            levels[candidate.name] = judged(self._load, phase, timings, self._limits)

        await at_once(candidates, measure, len(candidates))
        return [levels[candidate.name] for candidate in candidates]

    async def _warm_up(self, candidate: CandidateSpec) -> None:
        run = secrets.token_hex(4)
        for number in range(WARM_UPS):
            reply = await self._patient_answer(candidate, number)
            if reply.timing.error in _FIELD_REFUSED and candidate.name not in self._of_any_length:
                self._of_any_length.add(candidate.name)
                reply = await self._patient_answer(candidate, number)
            self._folder.requests.add([_row(RequestKind.WARM_UP, candidate, run, number, reply.timing)])

    async def _patient_answer(self, candidate: CandidateSpec, number: int) -> Reply:
        return await patiently(lambda: self._respondent.answer(self._ask(candidate, number)))

    async def _sweep(self, candidates: Sequence[CandidateSpec], pacer: Pacer) -> None:
        """Level after level, each on all candidates at the same time; a finished one is not run again.

        Where there are several, a level that is too much for one of them is too much for them together.
        """
        began_at, began = datetime.now(UTC), time.monotonic()
        names = ", ".join(candidate.name for candidate in candidates)
        known = self._known_levels(candidates)
        number = 0

        async def measure(rate: float) -> LoadLevel:
            nonlocal number
            number += 1
            levels = known.get(rate)
            if levels is None:
                pacer.enter(f"{names}: load level {number}, {rate * 60:.3g} requests a minute")
                async with _Ticking(pacer, self._load.duration_s, (number - 1) * self._load.duration_s):
                    levels = await self._together(candidates, rate, self._seed + number)
            return min(levels, key=lambda level: _WORST_FIRST.index(level.state))

        least = MINIMUM_REQUESTS / self._load.duration_s
        await climb(measure, self._load.levels, refinements=self._load.refinements, least_rate=least)
        whole, run = time.monotonic() - began, secrets.token_hex(4)
        self._folder.phases.add(
            PhaseRow(PhaseKind.SWEEP, candidate.name, run, _stamp(began_at), whole, True)
            for candidate in candidates
        )

    def _known_levels(self, candidates: Sequence[CandidateSpec]) -> dict[float, list[LoadLevel]]:
        """The levels that earlier runs have finished for all of these candidates, by their rate."""
        phases, requests = self._folder.phases.read(), self._folder.requests.read()
        found: dict[float, list[LoadLevel]] = {}
        for candidate in candidates:
            for run in last_runs(phases, requests, candidate.name):
                if run.phase.is_complete and run.phase.asked_rate is not None:
                    level = judged(self._load, run.phase, run.timings, self._limits)
                    found.setdefault(run.phase.asked_rate, []).append(level)
        return {rate: levels for rate, levels in found.items() if len(levels) == len(candidates)}

    async def _stretch(self, stretch: _Stretch, seed: int) -> tuple[PhaseRow, tuple[RequestTiming, ...]]:
        """Sends, stores each request when it ends, and the phase when all have."""
        candidate = stretch.candidate

        async def send(request_index: int) -> RequestTiming:
            reply = await self._respondent.answer(self._ask(candidate, request_index))
            if not stretch.together:
                stretch.foreign = max(stretch.foreign, self._respondent.foreign_requests())
            self._manifest.saw(candidate, RequestKind.LOAD, reply)
            return reply.timing

        def store(timing: RequestTiming) -> None:
            row = _row(RequestKind.LOAD, candidate, stretch.run, stretch.stored, timing)
            # Waiting for the disk would hold up the requests that are being timed, and a lost stretch is run again.
            self._folder.requests.add([row], is_kept_at_once=False)
            stretch.stored += 1

        due = None
        if self._load.concurrency is None:
            due = self._load.due(seed, stretch.asked_rate)
        is_complete = False
        timings: tuple[RequestTiming, ...] = ()
        try:
            timings = (await self._send_all(send, due, store)).timings
            is_complete = True
        finally:
            phase = self._phase(stretch, due, is_complete=is_complete)
            self._folder.phases.add([phase])
        return phase, timings

    async def _send_all(self, send: Send, due: list[float] | None, store: OnResult) -> LoadRun:
        seconds = self._load.duration_s
        if due is None:
            return await closed_loop(
                send, self._load.concurrency or 1, duration_s=seconds, drain_s=DRAIN_SECONDS, on_result=store
            )
        return await open_loop(send, due, duration_s=seconds, drain_s=DRAIN_SECONDS, on_result=store)

    def _phase(self, stretch: _Stretch, due: list[float] | None, *, is_complete: bool) -> PhaseRow:
        return PhaseRow(
            PhaseKind.LOAD,
            stretch.candidate.name,
            stretch.run,
            _stamp(stretch.began_at),
            time.monotonic() - stretch.began,
            is_complete,
            offered_rate=None if due is None else len(due) / self._load.duration_s,
            asked_rate=stretch.asked_rate,
            concurrency=self._load.concurrency,
            together_with=stretch.together,
            others_cpu_share=stretch.watch.others_share(),
            foreign_requests=stretch.foreign,
        )

    def _ask(self, candidate: CandidateSpec, number: int) -> Ask:
        """A question whose answer has the length that was asked for, whatever the model would have said.

        A remote server that does not take the field for it gives answers of at most that length.
        """
        sample = self._questions[number % len(self._questions)]
        is_any_length = candidate.name in self._of_any_length
        update = {"max_tokens": self._load.output_tokens, "ignore_eos": None if is_any_length else True}
        params = candidate.parameters.model_copy(update={**update, "min_tokens": None, "stop": None})
        prompt = chat_prompt(candidate, sample)
        return Ask(candidate.model, prompt, params, TrafficClass.LOAD, is_length_fixed=True)


class _Ticking:
    """Lets a stretch's time pass in the progress while it lasts. `before`: seconds of earlier stretches."""

    def __init__(self, pacer: Pacer, seconds: float, before: float = 0.0) -> None:
        self._pacer = pacer
        self._seconds = seconds
        self._before = before
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._tick())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _tick(self) -> None:
        for passed in range(1, round(self._seconds) + 1):
            await asyncio.sleep(1.0)
            self._pacer.load_passed(self._before + passed)


def _row(
    kind: RequestKind, candidate: CandidateSpec, run: str, number: int, timing: RequestTiming
) -> RequestRow:
    return RequestRow(f"{candidate.name}/{kind}/{run}/{number}", kind, candidate.name, run, timing)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
