"""Quality under load: what the stored answers at several concurrencies come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators.base import Scale
from evaluators.flips import Flips, Said, flips
from evaluators.spec import open_evaluator
from evaluators.stats import Estimate, mean_estimate, rate_estimate
from workbench.experiments.record.rows import UnderLoadRow
from workbench.experiments.spec.experiment import Experiment


@dataclass(frozen=True, slots=True)
class StabilityResult:
    """One candidate at one concurrency; `flips` is None for the level that the others are held against."""

    candidate: str
    probe: str
    title: str
    scale: Scale
    concurrency: int
    items: int
    score: Estimate | None
    failed: int
    truncated: int
    flips: Flips | None


def stability_results(
    experiment: Experiment, manifest: Mapping[str, Any], rows: Sequence[UnderLoadRow]
) -> tuple[StabilityResult, ...]:
    """Every candidate at every concurrency that was asked, in the experiment's order."""
    asked = experiment.under_load
    if asked is None:
        return ()
    probe = next(probe for probe in experiment.probes if probe.name == asked.probe)
    scale = open_evaluator(probe.evaluator, probe.settings).scale
    found: list[StabilityResult] = []
    for candidate in experiment.candidates:
        own = [row for row in rows if row.candidate == candidate.name]
        alone = _said(own, asked.levels[0])
        for level in asked.levels:
            at_level = [row for row in own if row.concurrency == level]
            if at_level:
                title = manifest["probes"][probe.name]["title"]
                held = None if level == asked.levels[0] else flips(alone, _said(own, level), scale)
                found.append(_result(at_level, title, scale, held))
    return tuple(found)


def _said(rows: Sequence[UnderLoadRow], concurrency: int) -> dict[str, Said]:
    at_level = (row for row in rows if row.concurrency == concurrency)
    return {row.sample: Said(row.answer_sha256, row.value) for row in at_level}


def _result(rows: Sequence[UnderLoadRow], title: str, scale: Scale, held: Flips | None) -> StabilityResult:
    values = [np.array([row.value]) for row in rows if row.value is not None]
    estimate = rate_estimate if scale is Scale.BINARY else mean_estimate
    return StabilityResult(
        candidate=rows[0].candidate,
        probe=rows[0].probe,
        title=title,
        scale=scale,
        concurrency=rows[0].concurrency,
        items=len(rows),
        score=estimate(values) if values else None,
        failed=sum(bool(row.failure) for row in rows),
        truncated=sum(row.finish_reason == "length" for row in rows),
        flips=held,
    )
