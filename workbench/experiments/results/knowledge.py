"""Until when a candidate knows the news: the cut-off found from dated questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.base import Sample
from evaluators.stats.cutoff import Cutoff, DatedAnswer, find_cutoff
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.spec.experiment import Experiment

_DATE = "date"


@dataclass(frozen=True, slots=True)
class KnownUntil:
    """One candidate's cut-off in one probe of dated questions."""

    candidate: str
    probe: str
    cutoff: Cutoff


def known_until(
    experiment: Experiment, folder: ExperimentFolder, samples: Sequence[SampleRow]
) -> tuple[KnownUntil, ...]:
    """For every probe all of whose items carry a date and choices, and every candidate that answered it."""
    found: list[KnownUntil] = []
    for probe in experiment.probes:
        path = folder.data_path(probe.name)
        items = folder.read_data(probe.name).samples if path.exists() else ()
        if not items or not all(_DATE in item.metadata and len(item.choices) > 1 for item in items):
            continue
        dated = {item.id: item for item in items}
        for candidate in experiment.candidates:
            rows = [r for r in samples if r.probe == probe.name and r.candidate == candidate.name]
            answers = _dated_answers(rows, dated)
            if answers:
                found.append(KnownUntil(candidate.name, probe.name, find_cutoff(answers)))
    return tuple(found)


def _dated_answers(rows: Sequence[SampleRow], dated: Mapping[str, Sample]) -> list[DatedAnswer]:
    return [
        DatedAnswer(
            str(dated[row.sample].metadata[_DATE]), row.value == 1.0, 1 / len(dated[row.sample].choices)
        )
        for row in rows
        if row.value is not None and row.sample in dated
    ]
