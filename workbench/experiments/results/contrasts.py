"""One candidate's score in a probe minus its score in another: what a change of the question does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.base import Scale
from evaluators.spec import open_evaluator
from evaluators.stats import Estimate, holm
from evaluators.stats.groups import compare_groups
from evaluators.summary import ScoreRow, compare_candidates, scores_frame
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.spec.experiment import Experiment, ProbeSpec


@dataclass(frozen=True, slots=True)
class Contrast:
    """A probe's score minus its baseline's, for one candidate.

    Paired by item where both ask the same items, else between groups of different ones. `adjusted_p` is Holm's, over
    all contrasts of the experiment.
    """

    candidate: str
    probe: str
    baseline: str
    scale: Scale
    is_paired: bool
    difference: Estimate
    adjusted_p: float


def contrasts(experiment: Experiment, samples: Sequence[SampleRow]) -> tuple[Contrast, ...]:
    """Every candidate in every probe that names a baseline; those without scores are left out."""
    found: list[Contrast] = []
    for probe in experiment.probes:
        for candidate in experiment.candidates if probe.baseline else ():
            own = [row for row in samples if row.candidate == candidate.name]
            made = _contrast(probe, candidate.name, own)
            found += [] if made is None else [made]
    adjusted = holm([made.adjusted_p for made in found]) if found else ()
    return tuple(replace(made, adjusted_p=p) for made, p in zip(found, adjusted, strict=True))


def _contrast(probe: ProbeSpec, candidate: str, rows: Sequence[SampleRow]) -> Contrast | None:
    scale = open_evaluator(probe.evaluator, probe.settings).scale
    asked = [row for row in rows if row.probe == probe.name]
    base = [row for row in rows if row.probe == probe.baseline]
    shared = {row.sample for row in asked} & {row.sample for row in base}
    if shared:
        frame = scores_frame([_under_probe(row) for row in (*asked, *base)])
        paired = compare_candidates(frame, probe.name, probe.baseline, scale)
        found = None if paired is None else (paired.difference, paired.p_value)
    else:
        first, second = ([row.value for row in group if row.value is not None] for group in (asked, base))
        groups = compare_groups(first, second) if first and second else None
        found = None if groups is None else (groups.difference, groups.p_value)
    if found is None:
        return None
    return Contrast(candidate, probe.name, probe.baseline, scale, bool(shared), *found)


def _under_probe(row: SampleRow) -> ScoreRow:
    """The row with its probe in the candidate's place, so that two probes are compared as two candidates are."""
    return ScoreRow(row.probe, row.sample, row.repeat, row.evaluator, row.value, row.reason, row.failure)


def contrast_json(made: Contrast, estimate: Mapping[str, Any]) -> dict[str, Any]:
    """The contrast for verdict.json."""
    return {
        "candidate": made.candidate,
        "probe": made.probe,
        "baseline": made.baseline,
        "is_paired": made.is_paired,
        **estimate,
        "adjusted_p_value": made.adjusted_p,
    }
