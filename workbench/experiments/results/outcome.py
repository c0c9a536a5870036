"""What the stored rows of an experiment come to. Everything here is computed from the folder's files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.measurement import (
    LatencyMeasurement,
    Measurement,
    RunMeasurement,
    ScoreMeasurement,
    SustainedRate,
)
from evaluators.requirements import Metric, Requirement
from evaluators.stats import comparison_note
from evaluators.timing import Latency
from evaluators.verdict import Decision, Verdict, decide
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseRow, RequestRow, SampleRow, UnderLoadRow
from workbench.experiments.results.contrasts import Contrast, contrasts
from workbench.experiments.results.judged import JudgedProbe, judged_probes
from workbench.experiments.results.knowledge import KnownUntil, known_until
from workbench.experiments.results.load import LoadResult, load_results
from workbench.experiments.results.scores import Difference, ProbeScore, differences, probe_scores
from workbench.experiments.results.stability import StabilityResult, stability_results
from workbench.experiments.spec.experiment import SAFETY_EVALUATORS, Experiment, Mode, parse_experiment


@dataclass(frozen=True, slots=True)
class Results:
    """An experiment's outcome."""

    manifest: Mapping[str, Any]
    experiment: Experiment
    samples: tuple[SampleRow, ...]
    requests: tuple[RequestRow, ...]
    phases: tuple[PhaseRow, ...]
    scores: tuple[ProbeScore, ...]
    differences: tuple[Difference, ...]
    loads: tuple[LoadResult, ...]
    under_load: tuple[UnderLoadRow, ...]
    stability: tuple[StabilityResult, ...]
    verdicts: tuple[Verdict, ...]
    contrasts: tuple[Contrast, ...]
    known_until: tuple[KnownUntil, ...]
    judged: tuple[JudgedProbe, ...]

    @property
    def decision(self) -> Decision:
        """Go when a candidate may be built on, no-go when none may."""
        decisions = {verdict.decision for verdict in self.verdicts}
        if Decision.GO in decisions:
            return Decision.GO
        return Decision.NO_GO if decisions == {Decision.NO_GO} else Decision.NOT_ENOUGH_DATA

    @property
    def note(self) -> str:
        """What readers of several differences must know; empty for one."""
        return comparison_note(len(self.differences)) if self.differences else ""

    def score(self, candidate: str, probe: str) -> ProbeScore | None:
        """One cell of the table of scores."""
        cells = (s for s in self.scores if s.candidate == candidate and s.probe == probe)
        return next(cells, None)

    def load(self, candidate: str) -> LoadResult | None:
        """One candidate's load test."""
        return next((load for load in self.loads if load.candidate == candidate), None)


def read_results(folder: ExperimentFolder) -> Results:
    """The outcome of what the folder holds, also of a run that was cut short.

    Raises: ConfigurationError where there is no experiment.
    """
    manifest = folder.read_manifest()
    if manifest is None:
        raise ConfigurationError(f"{folder.path} holds no experiment.")
    experiment = parse_experiment(manifest["experiment"])
    # A row that was written again, after a failure or an interruption, counts in its last form.
    samples = tuple({row.id: row for row in folder.samples.read()}.values())
    requests = tuple({row.id: row for row in folder.requests.read()}.values())
    phases = tuple(folder.phases.read())
    scores = probe_scores(experiment, manifest, samples)
    under_load = tuple({row.id: row for row in folder.under_load.read()}.values())
    loads = load_results(experiment, requests, phases)
    return Results(
        manifest=manifest,
        experiment=experiment,
        samples=samples,
        requests=requests,
        phases=phases,
        scores=scores,
        differences=differences(experiment, manifest, samples),
        loads=loads,
        under_load=under_load,
        stability=stability_results(experiment, manifest, under_load),
        verdicts=_verdicts(experiment, scores, loads),
        contrasts=contrasts(experiment, samples),
        known_until=known_until(experiment, folder, samples),
        judged=judged_probes(experiment, folder.judgements.read()),
    )


def _verdicts(
    experiment: Experiment, scores: Sequence[ProbeScore], loads: Sequence[LoadResult]
) -> tuple[Verdict, ...]:
    found: list[Verdict] = []
    for candidate in experiment.candidates:
        load = next((load for load in loads if load.candidate == candidate.name), None)
        own = {score.probe: score for score in scores if score.candidate == candidate.name}
        asked = experiment.parsed_requirements
        measured = {r: m for r in asked if (m := _measurement(experiment, r, own, load)) is not None}
        found.append(decide(candidate.name, asked, measured, is_isolated=is_isolated(experiment, load)))
    return tuple(found)


def is_isolated(experiment: Experiment, load: LoadResult | None) -> bool:
    """Whether the candidate was timed alone: meant so, and nothing else seen."""
    seen = load is None or all(result.phase.is_isolated() for result in load.levels)
    return experiment.mode is Mode.ISOLATED and seen


def _measurement(
    experiment: Experiment, asked: Requirement, scores: Mapping[str, ProbeScore], load: LoadResult | None
) -> Measurement | None:
    """What was measured for a requirement; None where nothing was."""
    if asked.metric is Metric.QUALITY or asked.metric in SAFETY_EVALUATORS:
        score = scores.get(asked.subject or experiment.safety_probe(asked.metric))
        return None if score is None else ScoreMeasurement(score.summary, score.scale)
    if load is None:
        return None
    match asked.metric:
        case Metric.TTFT_P95:
            return LatencyMeasurement(load.timings, Latency.TTFT, 95.0, load.origin)
        case Metric.TPOT_P95:
            return LatencyMeasurement(load.timings, Latency.TPOT, 95.0, load.origin)
        case Metric.TOKENS_PER_SECOND:
            return RunMeasurement(load.throughput)
        case Metric.COST if experiment.machine_price_per_hour is not None and load.throughput.value > 0:
            return RunMeasurement(load.cost)
        case Metric.REQUESTS_PER_MINUTE:
            return SustainedRate(load.saturation, load.requests)
        case _:
            return None
