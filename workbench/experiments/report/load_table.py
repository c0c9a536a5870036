"""The report's tables of load: what was offered, what came of it, and whether answers stayed the same."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.load import Saturation
from evaluators.requirements import Metric
from evaluators.speed import distribution
from evaluators.timing import Latency, RequestClass, count_classes, latencies_ms
from evaluators.verdict import Verdict
from workbench.experiments.report.sections import mode_of
from workbench.experiments.report.words import NONE, interval_words, milliseconds, score_words, share, short
from workbench.experiments.results.load import LevelResult, LoadResult
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.stability import StabilityResult
from workbench.experiments.spec.load import LoadShape

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
    """One stretch of load on one candidate."""

    name: str
    mode: str
    mode_reason: str
    side: str
    offered: str
    state: str
    requests: str
    goodput: str
    latencies: tuple[Percentiles, ...]
    throughput: str
    throughput_interval: str
    cost: str


@dataclass(frozen=True, slots=True)
class StabilityRow:
    """One candidate's answers at one concurrency."""

    name: str
    concurrency: str
    items: str
    score: str
    change: str
    flips: str
    detail: str


def load_rows(results: Results) -> list[LoadRow]:
    """Every level of every candidate; the cost is that of the load that was asked for."""
    verdicts = {verdict.candidate: verdict for verdict in results.verdicts}
    return [
        _load_row(results, load, level, verdicts[load.candidate])
        for load in results.loads
        for level in load.levels
    ]


def _load_row(results: Results, load: LoadResult, stretch: LevelResult, verdict: Verdict) -> LoadRow:
    counts = count_classes(stretch.timings)
    spreads = [distribution(latencies_ms(stretch.timings, kind, stretch.origin)) for kind in SHOWN_LATENCIES]
    others = [f"{n} {kind.value}" for kind, n in counts.items() if n and kind is not RequestClass.OK]
    mode, reason = mode_of(results, verdict)
    level = stretch.level
    is_priced = stretch is load.asked and load.throughput.value > 0
    return LoadRow(
        name=load.candidate,
        mode=mode,
        mode_reason=reason,
        side=f"timed by the {stretch.side.value}",
        offered=_offered(results, stretch) + ("" if stretch.phase.is_complete else " (cut short)"),
        state=f"{level.state.value}: {level.reason}",
        requests=", ".join([f"{counts[RequestClass.OK]} ok", *others]),
        goodput=short(level.goodput * 60),
        latencies=tuple(Percentiles(milliseconds(s.p50), milliseconds(s.p95)) for s in spreads),
        throughput=short(stretch.throughput.value),
        throughput_interval=interval_words(stretch.throughput.interval, Metric.TOKENS_PER_SECOND),
        cost=short(load.cost.value) if is_priced else NONE,
    )


def _offered(results: Results, stretch: LevelResult) -> str:
    load = results.experiment.load
    if load is not None and load.shape is LoadShape.CLOSED:
        return f"{load.concurrency} at a time"
    rate = stretch.phase.offered_rate
    return f"{short((stretch.level.offered_rate if rate is None else rate) * 60)} a minute offered"


def saturation_sentences(results: Results) -> list[str]:
    """Where each candidate's point of saturation lies, where it was looked for."""
    load = results.experiment.load
    if load is None or load.shape not in (LoadShape.SWEEP, LoadShape.RAMP):
        return []
    return [f"{found.candidate}: {_saturation_words(found.saturation)}" for found in results.loads]


def _saturation_words(point: Saturation) -> str:
    low, high = point.sustained, point.overloaded
    if low is not None and high is not None:
        return f"saturates between {short(low * 60)} and {short(high * 60)} requests a minute."
    if high is not None:
        return f"was overloaded from {short(high * 60)} requests a minute on; nothing below was shown to be sustained."
    if low is not None:
        return f"sustained {short(low * 60)} requests a minute, the most that was tried."
    return "no level was clear enough to tell."


def stability_rows(results: Results) -> list[StabilityRow]:
    """Quality under load."""
    return [_stability_row(found) for found in results.stability]


def _stability_row(found: StabilityResult) -> StabilityRow:
    held, change, flipped, lost = found.flips, NONE, NONE, 0
    if held is not None:
        lost = held.lost
        if held.scores is not None:
            difference = held.scores.difference
            interval = interval_words(difference.interval, Metric.QUALITY, found.scale)
            change = f"{share(difference.value, found.scale)} ({interval})"
        if held.answers is not None:
            flipped = f"{100 * held.answers.value:.1f} % ({interval_words(held.answers.interval, Metric.UNSAFE_RATE)})"
    parts = [
        (found.failed, "failed"),
        (found.truncated, "cut off by the token limit"),
        (lost, "not answered here"),
    ]
    return StabilityRow(
        name=found.candidate,
        concurrency="one at a time" if found.concurrency == 1 else f"{found.concurrency} at a time",
        items=str(found.items),
        score=score_words(found.score, found.scale),
        change=change,
        flips=flipped,
        detail=", ".join(f"{count} {words}" for count, words in parts if count),
    )
