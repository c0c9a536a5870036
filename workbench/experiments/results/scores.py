"""Mean scores of every probe, and the paired differences between candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from evaluators.base import Scale
from evaluators.spec import open_evaluator
from evaluators.stats import PairedComparison, holm, minimum_detectable_difference
from evaluators.summary import ScoreRow, ScoreSummary, compare_candidates, scores_frame, summarise
from workbench.experiments.harness import scale_of
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.spec.experiment import Experiment


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """One candidate's mean score in one probe."""

    candidate: str
    probe: str
    title: str
    scale: Scale
    is_higher_better: bool | None
    summary: ScoreSummary


@dataclass(frozen=True, slots=True)
class Difference:
    """First candidate minus second in one probe, over the items both answered."""

    probe: str
    title: str
    first: str
    second: str
    comparison: PairedComparison
    adjusted_p: float
    """Holm's, over all differences of the experiment."""
    detectable: float | None
    """The true difference that this many items would show in four of five experiments; None without any spread."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A probe, or a harness's task, with its rows and how their values are read."""

    name: str
    scale: Scale
    is_higher_better: bool | None
    rows: tuple[SampleRow, ...]


def probe_scores(
    experiment: Experiment, manifest: Mapping[str, Any], samples: Sequence[SampleRow]
) -> tuple[ProbeScore, ...]:
    """Every candidate's in every probe it has rows of."""
    found: list[ProbeScore] = []
    for judged in _judged(experiment, samples):
        title = manifest["probes"][judged.name]["title"] if judged.rows else judged.name
        for candidate in experiment.candidates:
            rows = [row for row in judged.rows if row.candidate == candidate.name]
            if rows:
                summary = summarise(samples_frame(rows), judged.scale)
                better = judged.is_higher_better
                found.append(ProbeScore(candidate.name, judged.name, title, judged.scale, better, summary))
    return tuple(found)


def differences(
    experiment: Experiment, manifest: Mapping[str, Any], samples: Sequence[SampleRow]
) -> tuple[Difference, ...]:
    """Every two candidates in every probe that both answered an item of."""
    found: list[tuple[str, str, str, PairedComparison, float | None]] = []
    names = [candidate.name for candidate in experiment.candidates]
    for judged in _judged(experiment, samples):
        frame = samples_frame(judged.rows)
        for first, second in combinations(names, 2):
            compared = compare_candidates(frame, first, second, judged.scale)
            if compared is not None:
                found.append((judged.name, first, second, compared, _detectable(frame, first, second)))
    adjusted = holm([compared.p_value for _, _, _, compared, _ in found]) if found else ()
    return tuple(
        Difference(probe, manifest["probes"][probe]["title"], first, second, compared, p, least)
        for (probe, first, second, compared, least), p in zip(found, adjusted, strict=True)
    )


def samples_frame(samples: Sequence[SampleRow]) -> pd.DataFrame:
    """The scores as a table: one row an item of a candidate."""
    return scores_frame(
        [
            ScoreRow(
                r.candidate, f"{r.probe}/{r.sample}", r.repeat, r.evaluator, r.value, r.reason, r.failure
            )
            for r in samples
        ]
    )


def _judged(experiment: Experiment, samples: Sequence[SampleRow]) -> list[_Judged]:
    rows: dict[str, list[SampleRow]] = {}
    for row in samples:
        rows.setdefault(row.probe, []).append(row)
    found: list[_Judged] = []
    for probe in experiment.probes:
        evaluator = open_evaluator(probe.evaluator, probe.settings)
        own = tuple(rows.get(probe.name, ()))
        found.append(_Judged(probe.name, evaluator.scale, evaluator.is_higher_better, own))
    for task in experiment.harness:
        own = tuple(rows.get(task.name, ()))
        scale = scale_of(row.value for row in own if row.value is not None)
        found.append(_Judged(task.name, scale, task.is_higher_better, own))
    return found


def _detectable(frame: pd.DataFrame, first: str, second: str) -> float | None:
    """The smallest difference these items would have shown with a power of four in five."""
    means = frame.pivot_table(index="sample", columns="candidate", values="value", aggfunc="mean")
    if first not in means or second not in means:
        return None
    pairs = (means[first] - means[second]).dropna()
    spread = float(np.std(pairs, ddof=1)) if len(pairs) > 1 else 0.0
    return minimum_detectable_difference(spread, len(pairs)) if spread > 0 else None
