"""The experiments of a home folder: those that run in this process, and those that were run."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from evaluators.base import Sample
from workbench.core.caller import Caller
from workbench.core.errors import InvalidRequest, NotFound, Unavailable, WorkbenchError
from workbench.experiments.estimate import estimate_words, estimated_seconds, machine_rates
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.outputs import write_outputs
from workbench.experiments.results.outcome import Results, read_results
from workbench.experiments.run.manifest import CANCELLED, DONE, FAILED, RUNNING
from workbench.experiments.run.progress import Progress
from workbench.experiments.run.runner import ExperimentRunner, refuse_experiment
from workbench.experiments.run.service_respondent import ServiceRespondent
from workbench.experiments.spec.experiment import Experiment, parse_experiment
from workbench.experiments.spec.probe import open_probe
from workbench.experiments.spec.quick import OWN_PROBE
from workbench.service import Workbench
from workbench.store.experiments import ExperimentState

log = structlog.get_logger(__name__)

FOLDER = "experiments"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One experiment of an account. `state` is running, done, cancelled, failed or interrupted."""

    id: str
    name: str
    began_at: str
    candidates: tuple[str, ...]
    state: str
    decision: str
    """The verdict's; empty where there is none yet."""


@dataclass(slots=True)
class _Run:
    account: str
    task: asyncio.Task[None]
    progress: Progress
    error: str = ""


class ExperimentLibrary:
    """Starts, watches, lists and deletes experiments. One runs at a time: two would time each other."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._home = workbench.settings.home
        self._runs: dict[str, _Run] = {}
        self._turn = asyncio.Lock()

    async def start(self, experiment: Experiment, caller: Caller, own: Sequence[Sample] = ()) -> str:
        """Begins the experiment in the background, or puts it behind the one that runs; its id.

        `own` are the items of the team's own probe, kept in the experiment's folder and nowhere else.

        Raises: ModelNotFound or ModelNotAllowed for a candidate; ConfigurationError as `refuse_experiment`.
        """
        refuse_experiment(experiment, may_run_code=False)
        for candidate in experiment.candidates:
            self._workbench.model(candidate.model, caller)
        id_ = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        if own:
            experiment = self._with_own_data(id_, experiment, own)
        await self._begin(id_, experiment, caller)
        return id_

    async def resume(self, id_: str, caller: Caller) -> None:
        """Goes on with an experiment that was cut short; what is done is not asked again.

        Raises: NotFound; InvalidRequest for one that is done or runs; ModelNotFound or ModelNotAllowed.
        """
        folder = self._own_folder(id_, caller)
        manifest = folder.read_manifest()
        if manifest is None or self._state(id_, manifest) not in (INTERRUPTED, CANCELLED, FAILED):
            raise InvalidRequest("This experiment is not waiting to go on.", param="id")
        experiment = parse_experiment(manifest["experiment"])
        for candidate in experiment.candidates:
            self._workbench.model(candidate.model, caller)
        await self._begin(id_, experiment, caller)

    async def _begin(self, id_: str, experiment: Experiment, caller: Caller) -> None:
        record = await self._begin_record(id_, experiment, caller)
        task = asyncio.create_task(self._run(id_, experiment, caller, record), name="experiment")
        waiting = Progress("waiting for another experiment to end", 0, 0, 0.0, None)
        self._runs[id_] = _Run(caller.account, task, waiting)

    def _with_own_data(self, id_: str, experiment: Experiment, own: Sequence[Sample]) -> Experiment:
        folder = self._folder(id_)
        folder.create()
        folder.keep_data(OWN_PROBE, own)
        kept = {"data": str(folder.data_path(OWN_PROBE))}
        probes = [p.model_copy(update=kept) if p.name == OWN_PROBE else p for p in experiment.probes]
        return experiment.model_copy(update={"probes": tuple(probes)})

    def estimate(self, experiment: Experiment, own: Sequence[Sample] = ()) -> str:
        """How long it would take, in words, by the rates of this machine's earlier runs where there are any.

        Raises: ConfigurationError for probes that cannot be asked.
        """
        probes = [
            open_probe(spec, experiment.seed)
            for spec in experiment.probes
            if spec.name != OWN_PROBE or not own
        ]
        rates = machine_rates(self._home / FOLDER)
        return estimate_words(estimated_seconds(experiment, probes, rates), rates)

    async def _run(self, id_: str, experiment: Experiment, caller: Caller, record: str | None) -> None:
        folder, state = self._folder(id_), ExperimentState.INTERRUPTED

        def show(progress: Progress) -> None:
            self._runs[id_].progress = progress

        try:
            async with self._turn:
                respondent = ServiceRespondent(self._workbench, caller)
                await ExperimentRunner(experiment, folder, respondent, show, caller.account).run()
            state = ExperimentState.DONE
        except WorkbenchError as failure:
            self._runs[id_].error, state = failure.message, ExperimentState.FAILED
            log.error("experiment failed", id=id_, reason=type(failure).__name__)
        finally:
            if folder.manifest_path.exists():
                await asyncio.to_thread(write_outputs, folder, self._home)
            await self._end_record(record, folder, state)

    async def _begin_record(self, id_: str, experiment: Experiment, caller: Caller) -> str | None:
        """The store's record of it, without which an experiment runs as well."""
        try:
            experiments = self._workbench.store.experiments
        except Unavailable:
            return None
        made = await experiments.begin(
            name=experiment.name,
            account=caller.account,
            models=[candidate.model for candidate in experiment.candidates],
            spec_hash=experiment.sha256,
            folder=str(self._folder(id_).path),
        )
        return made.id

    async def _end_record(self, record: str | None, folder: ExperimentFolder, state: ExperimentState) -> None:
        if record is not None:
            verdict = folder.read_decision() or None
            samples = len(folder.samples.read())
            await self._workbench.store.experiments.end(record, state, samples=samples, verdict=verdict)

    def progress(self, id_: str, caller: Caller) -> Progress | None:
        """How far a running experiment is; None when it does not run."""
        run = self._own_run(id_, caller)
        return None if run is None or run.task.done() else run.progress

    def so_far(self, id_: str, caller: Caller) -> Sequence[tuple[str, str, int, float]]:
        """Of a running experiment (candidate, probe, items with a score, their mean), in the order they began."""
        if self._own_run(id_, caller) is None:
            return []
        scores: dict[tuple[str, str], list[float]] = {}
        for row in self._folder(id_).samples.read():
            if row.value is not None:
                scores.setdefault((row.candidate, row.probe), []).append(row.value)
        return [(*key, len(values), sum(values) / len(values)) for key, values in scores.items()]

    async def ended(self, id_: str, caller: Caller) -> None:
        """Returns when the experiment does not run any more."""
        run = self._own_run(id_, caller)
        if run is not None:
            await asyncio.wait({run.task})

    def running(self, caller: Caller) -> str:
        """The id of the account's experiment that runs or waits; empty where none does."""
        own = (
            id_ for id_, run in self._runs.items() if run.account == caller.account and not run.task.done()
        )
        return next(own, "")

    def error(self, id_: str, caller: Caller) -> str:
        """Why an experiment of this process failed; empty when it did not."""
        run = self._own_run(id_, caller)
        return "" if run is None else run.error

    def cancel(self, id_: str, caller: Caller) -> None:
        """Ends a running experiment; what is done is kept and reported."""
        run = self._own_run(id_, caller)
        if run is not None:
            run.task.cancel()

    def entries(self, caller: Caller) -> Sequence[Entry]:
        """The account's experiments, newest first."""
        root = self._home / FOLDER
        folders = sorted(root.iterdir(), reverse=True) if root.is_dir() else []
        found = ((path.name, ExperimentFolder(path)) for path in folders)
        entries = [
            self._entry(id_, manifest, folder)
            for id_, folder in found
            if (manifest := folder.read_manifest()) is not None and manifest["account"] == caller.account
        ]
        return sorted(entries, key=lambda entry: entry.began_at, reverse=True)

    def report(self, id_: str, caller: Caller) -> str:
        """The report's page. Raises: NotFound where there is none, or it is another account's."""
        folder = self._own_folder(id_, caller)
        if not folder.report_path.exists():
            raise NotFound("This experiment has no report yet.", param="id")
        return folder.report_path.read_text("utf-8")

    def results(self, id_: str, caller: Caller) -> Results:
        """What the stored rows come to. Raises: NotFound where there is none, or it is another account's."""
        return read_results(self._own_folder(id_, caller))

    def rewrite(self, id_: str, caller: Caller) -> None:
        """Makes report and verdict anew, as with other GPU prices. Raises: NotFound, ConfigurationError."""
        write_outputs(self._own_folder(id_, caller), self._home)

    def delete(self, id_: str, caller: Caller) -> None:
        """Deletes an experiment with all its texts. Raises: NotFound."""
        self.cancel(id_, caller)
        shutil.rmtree(self._own_folder(id_, caller).path)

    def _own_run(self, id_: str, caller: Caller) -> _Run | None:
        run = self._runs.get(id_)
        return run if run is not None and run.account == caller.account else None

    def _own_folder(self, id_: str, caller: Caller) -> ExperimentFolder:
        is_name = bool(id_) and id_ == Path(id_).name
        folder = self._folder(id_) if is_name else None
        manifest = None if folder is None else folder.read_manifest()
        if folder is None or manifest is None or manifest["account"] != caller.account:
            raise NotFound("There is no experiment with this id.", param="id")
        return folder

    def _folder(self, id_: str) -> ExperimentFolder:
        return ExperimentFolder(self._home / FOLDER / id_)

    def _state(self, id_: str, manifest: dict[str, Any]) -> str:
        run = self._runs.get(id_)
        is_running = run is not None and not run.task.done()
        if is_running:
            return RUNNING
        state = str(manifest["state"])
        return INTERRUPTED if state == RUNNING else state

    def _entry(self, id_: str, manifest: dict[str, Any], folder: ExperimentFolder) -> Entry:
        state = self._state(id_, manifest)
        candidates = manifest["experiment"]["candidates"]
        return Entry(
            id_,
            manifest["experiment"]["name"],
            manifest["began_at"],
            tuple(candidate["label"] or candidate["model"] for candidate in candidates),
            state,
            folder.read_decision() if state == DONE else "",
        )
