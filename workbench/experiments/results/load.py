"""What the stored load tests come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluators.load import LoadLevel, Saturation, saturation
from evaluators.requirements import Metric, Requirement
from evaluators.speed import Limits, cost_estimate, latency_table, output_throughput_estimate, run_span
from evaluators.stats import Estimate
from evaluators.timing import Origin, RequestTiming, Side
from workbench.experiments.record.rows import PhaseRow, RequestKind, RequestRow
from workbench.experiments.results.levels import StoredRun, judged, last_runs
from workbench.experiments.spec.experiment import Experiment
from workbench.experiments.spec.load import LoadSpec


@dataclass(frozen=True, slots=True)
class LevelResult:
    """One stretch of load. Latencies count from the moment a request was due; from its sending in a closed loop."""

    phase: PhaseRow
    timings: tuple[RequestTiming, ...]
    level: LoadLevel
    throughput: Estimate
    """Output tokens a second of all requests."""
    latencies: pd.DataFrame

    @property
    def origin(self) -> Origin:
        """Where the latencies begin."""
        return self.level.run.origin

    @property
    def side(self) -> Side:
        """Whose clock took the times."""
        return self.timings[0].side


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One candidate under load. `asked` is the load that was asked for: of a sweep, its first level."""

    candidate: str
    asked: LevelResult
    levels: tuple[LevelResult, ...]
    """All of a sweep's, ascending by rate; else the one."""
    cost: Estimate
    """Per million output tokens, in the currency of the machine's price; in machine-hours where there is none."""
    warm_ups: int

    @property
    def phase(self) -> PhaseRow:
        """The asked level's."""
        return self.asked.phase

    @property
    def timings(self) -> tuple[RequestTiming, ...]:
        """The asked level's requests."""
        return self.asked.timings

    @property
    def level(self) -> LoadLevel:
        """What the asked level shows."""
        return self.asked.level

    @property
    def throughput(self) -> Estimate:
        """The asked level's output tokens a second."""
        return self.asked.throughput

    @property
    def latencies(self) -> pd.DataFrame:
        """The asked level's."""
        return self.asked.latencies

    @property
    def origin(self) -> Origin:
        """Where latencies begin."""
        return self.asked.origin

    @property
    def saturation(self) -> Saturation:
        """Between which rates the point of saturation lies, as far as it was looked for."""
        return saturation([result.level for result in self.levels])

    @property
    def sustained(self) -> LevelResult | None:
        """The highest level that was sustained."""
        rate = self.saturation.sustained
        return next((result for result in self.levels if result.level.offered_rate == rate), None)

    @property
    def requests(self) -> int:
        """Sent over all levels."""
        return sum(len(result.timings) for result in self.levels)


def load_results(
    experiment: Experiment, requests: Sequence[RequestRow], phases: Sequence[PhaseRow]
) -> tuple[LoadResult, ...]:
    """Every candidate's that was loaded, in the experiment's order."""
    asked = experiment.load
    if asked is None:
        return ()
    limits = limits_of(experiment.parsed_requirements)
    found: list[LoadResult] = []
    for candidate in experiment.candidates:
        runs = last_runs(phases, requests, candidate.name)
        if runs:
            levels = sorted((_level(asked, run, limits) for run in runs), key=lambda r: r.level.offered_rate)
            warm_ups = sum(
                row.kind is RequestKind.WARM_UP and row.candidate == candidate.name for row in requests
            )
            found.append(_result(experiment, candidate.name, asked, levels, warm_ups))
    return tuple(found)


def limits_of(requirements: Sequence[Requirement]) -> Limits:
    """What a request must keep to count as a good one: the latency limits of the requirements sheet."""
    asked = {requirement.metric: requirement.limit for requirement in requirements}
    return Limits(ttft_ms=asked.get(Metric.TTFT_P95), tpot_ms=asked.get(Metric.TPOT_P95))


def _level(load: LoadSpec, run: StoredRun, limits: Limits) -> LevelResult:
    level = judged(load, run.phase, run.timings, limits)
    return LevelResult(
        run.phase,
        run.timings,
        level,
        output_throughput_estimate(run.timings, run_span(run.timings)),
        latency_table(run.timings, level.run.origin),
    )


def _result(
    experiment: Experiment, candidate: str, load: LoadSpec, levels: Sequence[LevelResult], warm_ups: int
) -> LoadResult:
    at_rate = (result for result in levels if result.phase.asked_rate == load.rate_per_s)
    asked = next(at_rate, levels[0])
    price, speed = experiment.machine_price_per_hour, asked.throughput
    cost = cost_estimate(1.0 if price is None else price, speed) if speed.value > 0 else speed
    return LoadResult(candidate, asked, tuple(levels), cost, warm_ups)
