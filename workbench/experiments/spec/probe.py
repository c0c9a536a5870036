"""A probe made ready: its items, what judges them, and what must be said beside its scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from evaluators.base import Evaluator, Need, Sample
from evaluators.data import EvaluationSet, builtin_sets, load_builtin, read_evaluation_set
from evaluators.perturbation import perturb
from evaluators.spec import open_evaluator
from workbench.core.errors import ConfigurationError
from workbench.experiments.spec.experiment import ProbeSpec

NEUTRAL_CONTEXT = "\n"
"""What stands before a choice of an item without a prompt, so that its first token has a likelihood, too."""
_DEFAULT_SEPARATOR = " "
_MASKED_SETS = frozenset({"crows-pairs", "jailbreakbench"})
"""Sets whose texts are offensive by design: pages show that there is a text, not the text."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe with its items."""

    spec: ProbeSpec
    title: str
    data: EvaluationSet
    evaluator: Evaluator
    separator: str
    source: str
    licence: str
    caution: str
    is_masked: bool
    likelihood_prompt: str = "{prompt}"

    @property
    def name(self) -> str:
        """As requirements call it."""
        return self.spec.name

    @property
    def needs_likelihoods(self) -> bool:
        """Whether choices are compared and no answer is written."""
        return self.evaluator.needs is Need.LIKELIHOODS

    def context(self, sample: Sample) -> str:
        """What a choice is put behind."""
        if not sample.prompt:
            return NEUTRAL_CONTEXT
        return self.likelihood_prompt.replace("{prompt}", sample.prompt)

    def continuation(self, sample: Sample, choice: str) -> str:
        """The choice with what stands between it and its context."""
        return self.separator + choice if sample.prompt else choice


def open_probe(spec: ProbeSpec, seed: int, kept: Path | None = None) -> Probe:
    """The probe with its items drawn; from the file that an earlier run `kept` where the first one is gone.

    Raises: ConfigurationError for data that is not there, asks nothing or does not go with the evaluator.
    """
    builtin = builtin_sets().get(spec.data)
    evaluator = open_evaluator(spec.evaluator, spec.settings)
    is_kept = builtin is None and kept is not None and not Path(spec.data).is_file()
    data = load_builtin(spec.data) if builtin is not None else _read(spec, kept)
    # What was kept is what was asked: drawn and changed already.
    samples = data.samples if is_kept else tuple(_asked(s, spec, seed) for s in _drawn(data, spec, seed))
    if not samples:
        raise ConfigurationError(f"The probe {spec.name}: no item has one of its tags.")
    if evaluator.needs in (Need.LIKELIHOODS, Need.REASONED) and not any(
        len(sample.choices) > 1 for sample in samples
    ):
        raise ConfigurationError(
            f"The probe {spec.name}: {spec.evaluator} compares choices, and there are none."
        )
    drawn = replace(data, samples=samples)
    if builtin is None:
        return Probe(
            spec, spec.name, drawn, evaluator, _DEFAULT_SEPARATOR, Path(spec.data).name, "", "", False
        )
    return Probe(
        spec,
        builtin.title,
        drawn,
        evaluator,
        builtin.separator,
        builtin.source,
        builtin.licence,
        builtin.caution,
        spec.data in _MASKED_SETS,
        builtin.likelihood_prompt,
    )


def _read(spec: ProbeSpec, kept: Path | None) -> EvaluationSet:
    path = Path(spec.data)
    # An upload is deleted with the page's session, an experiment may go on long after.
    if not path.is_file() and kept is not None:
        path = kept
    if not path.is_file():
        known = ", ".join(builtin_sets())
        raise ConfigurationError(
            f"The probe {spec.name}: {spec.data!r} is neither a file nor a built-in set ({known})."
        )
    data = read_evaluation_set(path.read_bytes(), path.name)
    if not data.samples:
        raise ConfigurationError(f"The probe {spec.name}: its data holds no item that can be asked.")
    return data


def _drawn(data: EvaluationSet, spec: ProbeSpec, seed: int) -> tuple[Sample, ...]:
    """The items that the seed draws of those with the tags, in the file's order."""
    tagged = tuple(s for s in data.samples if not spec.tags or set(spec.tags) & set(s.tags))
    if spec.limit is None or spec.limit >= len(tagged):
        return tagged
    ranked = sorted(tagged, key=lambda sample: _draw(sample.id, seed))
    chosen = {sample.id for sample in ranked[: spec.limit]}
    return tuple(sample for sample in tagged if sample.id in chosen)


def _asked(sample: Sample, spec: ProbeSpec, seed: int) -> Sample:
    """The item as the probe asks it."""
    fewer = _fewer_choices(sample, spec.most_choices)
    return fewer if spec.perturbation is None else perturb(fewer, spec.perturbation, seed=seed)


def _fewer_choices(sample: Sample, most: int | None) -> Sample:
    """The item with its right choices and as many wrong ones, drawn by their text, as there is room for."""
    if most is None or len(sample.choices) <= most:
        return sample
    wrong = sorted(
        (c for c in sample.choices if c not in sample.expected), key=lambda c: _draw(sample.id + c, 0)
    )
    kept = {*sample.expected, *wrong[: max(1, most - len(sample.expected))]}
    return replace(sample, choices=tuple(choice for choice in sample.choices if choice in kept))


def _draw(text: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()
