"""How long an experiment will take, from rates that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluators.base import Need
from evaluators.timing import RequestClass
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind, RequestKind, RequestRow
from workbench.experiments.spec.experiment import Experiment, Mode
from workbench.experiments.spec.load import UnderLoadSpec
from workbench.experiments.spec.probe import Probe

CHARACTERS_PER_TOKEN = 4.0
"""Of English text, roughly; rates and estimates use the same, so that an error cancels out where texts are alike."""

NEWEST_RUNS = 3
"""How many experiments tell the machine's rates: older ones may be of another version."""


SLOWER_ALONE = 4.0
"""How much longer answers take one at a time than eight at a time: a step of eight rows costs about two of one."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens a second of a whole machine on quality questions."""

    scored: float
    """Prompt tokens of requests that compare choices."""
    written: float
    """Output tokens."""
    origin: str
    """Where they were measured, in words."""


REFERENCE = Rates(
    350.0, 34.0, "by SmolLM2-135M's processor time on one core of an AMD EPYC: nothing was measured here yet"
)
"""What stands in until this machine has measured its own, and says so.

Tokens a second of processor time in float32 on one thread: scored ones in full packed passes over the quick check's
items, written ones over four items of every probe of the seven questions.
"""


def machine_rates(root: Path) -> Rates:
    """This machine's, by the newest experiments in the folder `root`, else the reference."""
    paths = sorted(root.iterdir())[-NEWEST_RUNS:] if root.is_dir() else []
    return measured_rates(ExperimentFolder(path) for path in paths) or REFERENCE


def measured_rates(folders: Iterable[ExperimentFolder]) -> Rates | None:
    """The rates of all quality phases in these folders together; None until both kinds were measured.

    A phase's seconds are shared out to its requests by how long each was in flight: requests in flight at the same
    time share the machine.
    """
    seconds = {RequestKind.LIKELIHOOD: 0.0, RequestKind.ANSWER: 0.0}
    tokens = dict.fromkeys(seconds, 0)
    for folder in folders:
        rows = folder.requests.read()
        for phase in folder.phases.read():
            if phase.kind is not PhaseKind.QUALITY:
                continue
            own = [row for row in rows if row.run == phase.run and row.candidate == phase.candidate]
            done = [row for row in own if row.timing.outcome is not RequestClass.FAILED]
            in_flight = sum(_seconds(row) for row in done)
            for row in done:
                if row.kind in seconds:
                    seconds[row.kind] += phase.seconds * _seconds(row) / in_flight
                    tokens[row.kind] += _tokens(row)
    if not all(seconds.values()) or not all(tokens.values()):
        return None
    scored, written = (tokens[kind] / seconds[kind] for kind in (RequestKind.LIKELIHOOD, RequestKind.ANSWER))
    return Rates(scored, written, "by the rates of earlier runs on this machine")


def _seconds(row: RequestRow) -> float:
    return row.timing.end - row.timing.sent


def _tokens(row: RequestRow) -> int:
    timing = row.timing
    return timing.prompt_tokens if row.kind is RequestKind.LIKELIHOOD else timing.output_tokens


def estimated_seconds(experiment: Experiment, probes: Sequence[Probe], rates: Rates) -> float:
    """At most about so long: written answers are counted as if each used all its tokens."""
    one = sum(_seconds_of(probe, rates) for probe in probes) * experiment.repeats
    again = (
        0.0 if experiment.under_load is None else _under_load_seconds(experiment.under_load, probes, rates)
    )
    load = 0.0 if experiment.load is None else experiment.load.longest_s
    rounds = 1 if experiment.mode is Mode.CONTENDED else len(experiment.candidates)
    return len(experiment.candidates) * (one + again) + rounds * load


def _seconds_of(probe: Probe, rates: Rates) -> float:
    return _scored_tokens(probe) / rates.scored + _written_tokens(probe) / rates.written


def _under_load_seconds(asked: UnderLoadSpec, probes: Sequence[Probe], rates: Rates) -> float:
    """The probe's items at every level, those asked one at a time at a slower pace; 0 where the probe is not known."""
    found = [probe for probe in probes if probe.name == asked.probe]
    share = sum(min(asked.limit / len(p.data.samples), 1.0) * _seconds_of(p, rates) for p in found)
    return share * (SLOWER_ALONE + len(asked.levels) - 1)


def _scored_tokens(probe: Probe) -> float:
    if probe.evaluator.needs not in (Need.LIKELIHOODS, Need.REASONED) or probe.spec.answers_of:
        return 0.0
    characters = sum(
        len(probe.context(sample)) + len(choice) for sample in probe.data.samples for choice in sample.choices
    )
    return characters / CHARACTERS_PER_TOKEN


def _written_tokens(probe: Probe) -> float:
    if probe.needs_likelihoods or probe.spec.answers_of:
        return 0.0
    return float(len(probe.data.samples) * probe.spec.max_tokens)


def estimate_words(seconds: float, rates: Rates) -> str:
    """The label of a run, as in "about 0.7 hours, by the rates of earlier runs on this machine"."""
    time = f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
    return f"about {time}, {rates.origin}"
