"""Two experiments side by side: did a candidate get worse since? Paired by item where the items are the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evaluators.base import Scale
from evaluators.speed import latency_percentile
from evaluators.stats import Estimate, PairedComparison, holm
from evaluators.summary import compare_candidates
from evaluators.timing import Latency
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.results.load import LevelResult
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.scores import ProbeScore, samples_frame

SIGNIFICANT = 0.05
_BEFORE, _AFTER = "before", "after"


class Change(StrEnum):
    """What became of one number."""

    WORSE = "worse"
    BETTER = "better"
    OPEN = "no change shown"
    NEUTRAL = "changed"
    """It moved, and neither direction is better by itself."""


@dataclass(frozen=True, slots=True)
class QualityChange:
    """One probe: the later experiment's candidate minus the earlier one's, over the items both answered."""

    title: str
    scale: Scale
    comparison: PairedComparison
    adjusted_p: float
    change: Change


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """One timed number of both, each with its interval."""

    name: str
    before: Estimate
    after: Estimate
    change: Change


@dataclass(frozen=True, slots=True)
class Regression:
    """What changed from one candidate of an experiment to one of another."""

    quality: tuple[QualityChange, ...]
    speed: tuple[SpeedChange, ...]
    notes: tuple[str, ...]
    """What could not be compared, and why."""

    @property
    def is_alarming(self) -> bool:
        """Whether anything got worse beyond chance."""
        changes = {found.change for found in self.quality} | {found.change for found in self.speed}
        return Change.WORSE in changes


def compare_experiments(before: Results, first: str, after: Results, second: str) -> Regression:
    """Candidate `first` of one experiment against candidate `second` of a later one."""
    notes: list[str] = []
    quality = _quality_changes(before, first, after, second, notes)
    return Regression(quality, _speed_changes(before, first, after, second, notes), tuple(notes))


def _quality_changes(
    before: Results, first: str, after: Results, second: str, notes: list[str]
) -> tuple[QualityChange, ...]:
    found: list[tuple[ProbeScore, PairedComparison]] = []
    for score in after.scores:
        if score.candidate != second:
            continue
        reason = _why_not_paired(before, after, score.probe)
        compared = None if reason else _compare(before, first, after, second, score)
        if compared is None:
            notes.append(f"{score.title}: {reason or 'no item has a score in both'}.")
        else:
            found.append((score, compared))
    adjusted = holm([compared.p_value for _, compared in found]) if found else ()
    return tuple(
        QualityChange(score.title, score.scale, compared, p, _verdict(score, compared, p))
        for (score, compared), p in zip(found, adjusted, strict=True)
    )


def _why_not_paired(before: Results, after: Results, probe: str) -> str:
    """Why a probe's scores cannot be set against each other; empty where they can."""
    old, new = before.manifest["probes"].get(probe), after.manifest["probes"][probe]
    if old is None:
        return "the earlier experiment did not ask it"
    if (old["evaluator"], old["settings"]) != (new["evaluator"], new["settings"]):
        return "it was judged in another way"
    return ""


def _compare(
    before: Results, first: str, after: Results, second: str, score: ProbeScore
) -> PairedComparison | None:
    rows = [*_rows(before, first, score.probe, _BEFORE), *_rows(after, second, score.probe, _AFTER)]
    return compare_candidates(samples_frame(rows), _AFTER, _BEFORE, score.scale)


def _rows(results: Results, candidate: str, probe: str, name: str) -> list[SampleRow]:
    """The candidate's rows under another name: two experiments may call different models the same.

    An item counts as the same when it asks the same: ids are given anew in every file.
    """
    own = (row for row in results.samples if row.candidate == candidate and row.probe == probe)
    return [
        SampleRow(
            row.id, name, row.probe, f"{row.prompt}\x1f{row.choices}\x1f{row.expected}", row.repeat,
            row.evaluator, row.value, row.reason, row.failure, "", (), (),
        )
        for row in own
    ]  # fmt: skip


def _verdict(score: ProbeScore, compared: PairedComparison, p: float) -> Change:
    if p >= SIGNIFICANT:
        return Change.OPEN
    if score.is_higher_better is None:
        return Change.NEUTRAL
    return Change.BETTER if (compared.difference.value > 0) == score.is_higher_better else Change.WORSE


def _speed_changes(
    before: Results, first: str, after: Results, second: str, notes: list[str]
) -> tuple[SpeedChange, ...]:
    old, new = before.load(first), after.load(second)
    if old is None or new is None:
        return ()
    if before.experiment.load != after.experiment.load:
        notes.append("Speed: the two were tested under different loads.")
        return ()
    if before.manifest["machine"] != after.manifest["machine"]:
        notes.append("Speed: the two ran on different machines.")
        return ()
    if not (_is_isolated(before, first) and _is_isolated(after, second)):
        notes.append("Speed: at least one was contended, so a difference may be the other work's.")
    pairs = [
        ("First token, p95 (ms)", _p95(old.asked, Latency.TTFT), _p95(new.asked, Latency.TTFT), False),
        ("Per token, p95 (ms)", _p95(old.asked, Latency.TPOT), _p95(new.asked, Latency.TPOT), False),
        ("Output tokens a second", old.throughput, new.throughput, True),
    ]
    return tuple(
        SpeedChange(name, one, two, _speed_verdict(one, two, is_higher_better=higher))
        for name, one, two, higher in pairs
        if one is not None and two is not None
    )


def _is_isolated(results: Results, candidate: str) -> bool:
    return next(verdict.is_isolated for verdict in results.verdicts if verdict.candidate == candidate)


def _p95(level: LevelResult, latency: Latency) -> Estimate | None:
    return latency_percentile(level.timings, latency, 95.0, origin=level.origin)


def _speed_verdict(before: Estimate, after: Estimate, *, is_higher_better: bool) -> Change:
    """Two runs share no items, so only intervals that do not touch show a change."""
    if before.interval is None or after.interval is None:
        return Change.OPEN
    is_higher, is_lower = after.interval.low > before.interval.high, after.interval.high < before.interval.low
    if not (is_higher or is_lower):
        return Change.OPEN
    return Change.BETTER if is_higher == is_higher_better else Change.WORSE
