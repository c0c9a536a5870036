"""Stretches of load as they were stored, and what each one shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.load import LevelState, LoadLevel, LoadRun, judge_level, judge_ramp, parse_rate
from evaluators.speed import Limits, goodput, run_span
from evaluators.stats import Estimate
from evaluators.timing import Origin, RequestTiming
from workbench.experiments.record.rows import PhaseKind, PhaseRow, RequestKind, RequestRow
from workbench.experiments.spec.load import LoadShape, LoadSpec


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One stretch of load on one candidate; all its times are on one clock."""

    phase: PhaseRow
    timings: tuple[RequestTiming, ...]


def last_runs(
    phases: Sequence[PhaseRow], requests: Sequence[RequestRow], candidate: str
) -> tuple[StoredRun, ...]:
    """The candidate's stretches of load in the order they were run, of each level the last one that got through.

    A stretch that was cut short counts only where no whole one of its level is there. One that was interrupted
    before anything was said of it, as by a crash, counts as cut short.
    """
    own: dict[str, list[RequestTiming]] = {}
    for row in requests:
        if row.candidate == candidate and row.kind is RequestKind.LOAD:
            own.setdefault(row.run, []).append(row.timing)
    told = {row.run: row for row in phases if row.kind is PhaseKind.LOAD}
    found: dict[float | None, StoredRun] = {}
    for run, timings in own.items():
        phase = told.get(run) or PhaseRow(PhaseKind.LOAD, candidate, run, "", 0.0, is_complete=False)
        earlier = found.get(phase.asked_rate)
        if earlier is None or phase.is_complete or not earlier.phase.is_complete:
            found[phase.asked_rate] = StoredRun(phase, tuple(timings))
    return tuple(found.values())


def judged(load: LoadSpec, phase: PhaseRow, timings: tuple[RequestTiming, ...], limits: Limits) -> LoadLevel:
    """What the stored stretch shows."""
    is_closed = load.shape is LoadShape.CLOSED
    run = LoadRun(timings, (), Origin.SENT if is_closed else Origin.SCHEDULED, phase.offered_rate)
    # A sweep's level is what was planned: levels must keep their order, whatever chance offered.
    return judged_run(load, run, phase.asked_rate or phase.offered_rate or load.rate_per_s, limits)


def judged_run(load: LoadSpec, run: LoadRun, rate: float | None, limits: Limits) -> LoadLevel:
    """What the run of this load at `rate` (requests a second; None in a closed loop) shows."""
    if load.shape is LoadShape.CLOSED or rate is None:
        return _closed(load, run, limits)
    if load.ramp_to is not None:
        return judge_ramp(run, load.rate_per_s, parse_rate(load.ramp_to), load.duration_s, limits)
    return judge_level(run, rate, limits)


def _closed(load: LoadSpec, run: LoadRun, limits: Limits) -> LoadLevel:
    """A closed loop offers no rate: what it answered is its rate, and nothing is proven sustained by it."""
    timings, span = run.timings, run_span(run.timings)
    good = sum(limits.are_met_by(timing) for timing in timings)
    share = Estimate(good / len(timings), None, len(timings), len(timings))
    reason = f"{load.concurrency} at a time: a closed loop shows throughput, not what rate is sustained"
    rate = len(timings) / span.seconds
    return LoadLevel(rate, LevelState.UNCLEAR, reason, share, goodput(timings, limits, span), run)
