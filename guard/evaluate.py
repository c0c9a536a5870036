"""A guard under test: its decisions and scores on a labelled set, with intervals.

What is covered: precision, recall, F1, false positive rate, AUPRC and AUROC, recall and naming per hazard,
time a row. What is not: rows the guard could not judge count in `unavailable` and in no rate, so look at
that first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from guard.base import Direction, Guard, Verdict
from guard.calibrate import (
    Confusion,
    Interval,
    Labels,
    Scores,
    auprc,
    auroc,
    bootstrap,
    calibration_error,
    confusion,
)
from guard.labelled_set import BadRow, LabelledRow, LabelledSet
from guard.taxonomy import STANDARD_HAZARDS
from workbench.core.backend import CallContext
from workbench.core.chat import Message, Role

EVALUATION_SCOPE = "guard-evaluation"


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row with the guard's verdict."""

    row: LabelledRow
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class HazardResult:
    """One hazard's rows: `recall` is the share flagged, `top1` the share of them that named it first.

    `top1` is None when the guard flagged none of them, or names no hazards.
    """

    n: int
    recall: float | None
    top1: float | None


@dataclass(frozen=True, slots=True)
class GuardReport:
    """The metrics of `workbench guard evaluate`. Rates are in [0, 1] and None where undefined.

    `n` counts the rows judged. `threshold` is None where prompts and answers had different ones.
    `false_positives` and `false_negatives` are line numbers. `intervals` are 95 % bootstrap intervals [low,
    high] by metric.
    """

    guard: str
    fingerprint: str
    threshold: float | None
    n: int
    n_unsafe: int
    unavailable: int
    precision: float | None
    recall: float | None
    f1: float | None
    fpr: float | None
    accuracy: float | None
    auprc: float | None
    auroc: float | None
    calibration_error: float | None
    hazard_top1: float | None
    ms_per_prompt_p50: float | None
    ms_per_prompt_p95: float | None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    hazards: dict[str, HazardResult] = field(default_factory=dict)
    false_positives: list[int] = field(default_factory=list)
    false_negatives: list[int] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return asdict(self)


async def warm_up(guard: Guard) -> None:
    """Lets a guard load its weights, so that the first row's time is a row's time."""
    await guard.check((Message(Role.USER, "Good morning"),), Direction.INPUT, CallContext(EVALUATION_SCOPE))


async def judge_rows(
    guard: Guard,
    rows: Sequence[LabelledRow],
    *,
    threshold: float | None = None,
    batch_size: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[JudgedRow]:
    """Every row with its verdict, in their order.

    One row at a time by default, so that each verdict's time is its own; larger batches are faster as a
    whole. `on_progress` is told rows done and rows in all.
    """
    context = CallContext(EVALUATION_SCOPE)
    verdicts: dict[int, Verdict] = {}
    for direction in Direction:
        places = [place for place, row in enumerate(rows) if row.direction is direction]
        for start in range(0, len(places), batch_size):
            batch = places[start : start + batch_size]
            conversations = [rows[place].conversation for place in batch]
            judged = await guard.check_many(conversations, direction, context, threshold=threshold)
            verdicts.update(zip(batch, judged, strict=True))
            if on_progress is not None:
                on_progress(len(verdicts), len(rows))
    return [JudgedRow(row, verdicts[place]) for place, row in enumerate(rows)]


async def evaluate(
    guard: Guard,
    labelled: LabelledSet,
    *,
    threshold: float | None = None,
    batch_size: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> GuardReport:
    """The guard's report on a set; see `judge_rows` for the arguments."""
    judged = await judge_rows(
        guard, labelled.rows, threshold=threshold, batch_size=batch_size, on_progress=on_progress
    )
    return report(guard, judged, labelled.bad_rows)


def report(guard: Guard, judged: Sequence[JudgedRow], bad_rows: Sequence[BadRow] = ()) -> GuardReport:
    """The metrics of rows already judged."""
    known = [row for row in judged if row.verdict.is_available]
    labels = np.array([row.row.is_unsafe for row in known], dtype=np.bool_)
    flagged = np.array([row.verdict.is_flagged for row in known], dtype=np.bool_)
    scores = _scores(known)
    counts = confusion(labels, flagged)
    times = [row.verdict.latency_ms for row in known]
    return GuardReport(
        guard=guard.name,
        fingerprint=guard.fingerprint,
        threshold=_common_threshold(known),
        n=len(known),
        n_unsafe=int(labels.sum()),
        unavailable=len(judged) - len(known),
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
        fpr=counts.fpr,
        accuracy=counts.accuracy,
        auprc=None if scores is None else auprc(labels, scores),
        auroc=None if scores is None else auroc(labels, scores),
        calibration_error=None if scores is None else calibration_error(labels, scores),
        hazard_top1=_top1(known),
        ms_per_prompt_p50=float(np.percentile(times, 50)) if times else None,
        ms_per_prompt_p95=float(np.percentile(times, 95)) if times else None,
        intervals=_intervals(labels, flagged, scores),
        hazards=_by_hazard(known),
        false_positives=[row.row.line for row in known if row.verdict.is_flagged and not row.row.is_unsafe],
        false_negatives=[row.row.line for row in known if row.row.is_unsafe and not row.verdict.is_flagged],
        bad_rows=list(bad_rows),
    )


def _common_threshold(rows: Sequence[JudgedRow]) -> float | None:
    thresholds = {row.verdict.threshold for row in rows}
    return thresholds.pop() if len(thresholds) == 1 else None


def _scores(rows: Sequence[JudgedRow]) -> Scores | None:
    """All scores, or None when one row has none: a curve over part of the rows would be another curve."""
    values = [row.verdict.p_unsafe for row in rows]
    known = [value for value in values if value is not None]
    return np.array(known) if known and len(known) == len(values) else None


def _intervals(labels: Labels, flagged: Labels, scores: Scores | None) -> dict[str, tuple[float, float]]:
    decided = flagged.astype(np.float64)
    found: dict[str, Interval] = {
        name: bootstrap(_of_confusion(name), labels, decided)
        for name in ("precision", "recall", "f1", "fpr", "accuracy")
    }
    if scores is not None:
        found["auprc"] = bootstrap(auprc, labels, scores)
        found["auroc"] = bootstrap(auroc, labels, scores)
    return {
        name: (interval.low, interval.high)
        for name, interval in found.items()
        if interval.low is not None and interval.high is not None
    }


def _of_confusion(name: str) -> Callable[[Labels, Scores], float | None]:
    def statistic(labels: Labels, decided: Scores) -> float | None:
        counts: Confusion = confusion(labels, decided > 0.5)
        value: float | None = getattr(counts, name)
        return value

    return statistic


def _by_hazard(rows: Sequence[JudgedRow]) -> dict[str, HazardResult]:
    results: dict[str, HazardResult] = {}
    for hazard in STANDARD_HAZARDS:
        own = [row for row in rows if row.row.is_unsafe and hazard.code in row.row.categories]
        if own:
            flagged = sum(row.verdict.is_flagged for row in own)
            results[hazard.code] = HazardResult(len(own), flagged / len(own), _top1(own))
    return results


def _top1(rows: Sequence[JudgedRow]) -> float | None:
    """Among flagged unsafe rows with known hazards: how often the hazard named first is one of them."""
    firsts = [
        (_first_hazard(row.verdict), row.row.categories)
        for row in rows
        if row.row.is_unsafe and row.row.categories and row.verdict.is_flagged
    ]
    named = [first in categories for first, categories in firsts if first is not None]
    return sum(named) / len(firsts) if named else None


def _first_hazard(verdict: Verdict) -> str | None:
    if verdict.hazard_scores:
        return max(verdict.hazard_scores, key=lambda code: verdict.hazard_scores[code])
    return verdict.hazards[0].code if verdict.hazards else None
