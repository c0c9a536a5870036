"""The report's table of load tests."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.requirements import Metric
from evaluators.speed import distribution
from evaluators.timing import Latency, Origin, RequestClass, count_classes, latencies_ms
from evaluators.verdict import Verdict
from workbench.experiments.report.sections import mode_of
from workbench.experiments.report.words import NONE, interval_words, milliseconds, short
from workbench.experiments.results import LoadResult, Results

SHOWN_LATENCIES = {
    Latency.TTFT: "First token",
    Latency.TPOT: "Per token",
    Latency.END_TO_END: "Whole answer",
}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A latency's middle and tail."""

    p50: str
    p95: str


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One candidate's load test."""

    name: str
    mode: str
    offered: str
    state: str
    requests: str
    latencies: tuple[Percentiles, ...]
    throughput: str
    throughput_interval: str
    cost: str


def load_rows(results: Results) -> list[LoadRow]:
    """The load tests."""
    verdicts = {verdict.candidate: verdict for verdict in results.verdicts}
    return [_load_row(results, load, verdicts[load.candidate]) for load in results.loads]


def _load_row(results: Results, load: LoadResult, verdict: Verdict) -> LoadRow:
    counts = count_classes(load.timings)
    spreads = [distribution(latencies_ms(load.timings, kind, Origin.SCHEDULED)) for kind in SHOWN_LATENCIES]
    others = [f"{n} {kind.value}" for kind, n in counts.items() if n and kind is not RequestClass.OK]
    mode, reason = mode_of(results, verdict)
    cut = "" if load.phase is not None and load.phase.is_complete else " (cut short)"
    return LoadRow(
        name=load.candidate,
        mode=f"{mode}: {reason}",
        offered=f"{short(load.level.offered_rate * 60)} a minute offered{cut}",
        state=f"{load.level.state.value}: {load.level.reason}",
        requests=", ".join([f"{counts[RequestClass.OK]} ok", *others]),
        latencies=tuple(Percentiles(milliseconds(s.p50), milliseconds(s.p95)) for s in spreads),
        throughput=short(load.throughput.value),
        throughput_interval=interval_words(load.throughput.interval, Metric.TOKENS_PER_SECOND),
        cost=short(load.cost.value) if load.throughput.value > 0 else NONE,
    )
