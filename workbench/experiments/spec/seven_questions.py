"""The seven questions of a feasibility study, each as probes that a team lead can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from evaluators.perturbation import Perturbation
from workbench.core.errors import ConfigurationError
from workbench.experiments.spec.experiment import CandidateSpec, Experiment, ProbeSpec
from workbench.experiments.spec.load import LoadSpec, UnderLoadSpec
from workbench.experiments.spec.quick import candidate_label

_FULL_SWEEP = "12/s"
_AGAIN = ("reading", "common-sense")
"""Probes with right answers, the first of which that is asked is asked again under load."""
_BY_BYTES: dict[str, JsonValue] = {"normalization": "bytes"}


@dataclass(frozen=True, slots=True)
class Question:
    """One of the seven. `explanation` says what it means for a product, and how to read its scores."""

    name: str
    title: str
    explanation: str
    probes: tuple[ProbeSpec, ...]


def _question(name: str, title: str, explanation: str, *probes: ProbeSpec) -> Question:
    return Question(name, title, explanation, tuple(p.model_copy(update={"question": name}) for p in probes))


def _written(name: str, data: str, evaluator: str, max_tokens: int) -> ProbeSpec:
    return ProbeSpec(name=name, data=data, evaluator=evaluator, max_tokens=max_tokens)


def _chosen(name: str, data: str, **more: object) -> ProbeSpec:
    table = {"name": name, "data": data, "evaluator": "multiple_choice", "settings": _BY_BYTES, **more}
    return ProbeSpec.model_validate(table)


def _judged_again(source: ProbeSpec, name: str, evaluator: str, **settings: JsonValue) -> ProbeSpec:
    update = {"name": name, "evaluator": evaluator, "settings": settings, "answers_of": source.name}
    return source.model_copy(update=update | {"baseline": ""})


def _perturbed(clean: ProbeSpec, kinds: Sequence[Perturbation]) -> tuple[ProbeSpec, ...]:
    """The clean probe, and the same items asked in each of these ways."""
    changed = (
        clean.model_copy(
            update={"name": f"{clean.name}-{kind}", "perturbation": kind, "baseline": clean.name}
        )
        for kind in kinds
    )
    return clean, *changed


_OPEN_ANSWERS = _written("generation-loops", "generation", "repetition", 256)
_TEXTS = _written("robust-reading", "reading", "contains", 24)
_CHOICES = _chosen("robust-common-sense", "piqa", limit=100)
_ATTACKED = tuple(
    _perturbed(
        _TEXTS,
        (
            Perturbation.TYPOS,
            Perturbation.PARAPHRASE,
            Perturbation.DISTRACTOR,
            Perturbation.INJECTION,
            Perturbation.JAILBREAK,
        ),
    )
)
_INJECTED = next(probe for probe in _ATTACKED if probe.perturbation is Perturbation.INJECTION)
_FAMOUS = ProbeSpec(name="famous-lines", data="memorization", evaluator="pair_margin", tags=("classic",))

QUESTIONS: tuple[Question, ...] = (
    _question(
        "generation",
        "Text generation quality",
        "Does the model write texts that one could send? Forty open requests: how much of an answer repeats itself, "
        "whether it comes to an end, and whether it stays in the language of the request. Whether a text is good is "
        "for a judge or for people: name a judge, or vote in the arena.",
        _OPEN_ANSWERS,
        _judged_again(_OPEN_ANSWERS, "generation-language", "language"),
        _judged_again(_OPEN_ANSWERS, "generation-complete", "length_limit", least=5),
    ),
    _question(
        "tasks",
        "Task performance",
        "Can it do the work? Six everyday tasks with known right answers: keep the thread of a conversation, "
        "summarize, answer from a text, sort messages, copy fields into JSON, translate.",
        _written("dialogue", "dialogue", "contains", 48),
        _written("summarization", "summarization", "coverage", 80),
        _written("reading", "reading", "contains", 24),
        _chosen("classification", "classification"),
        _written("extraction", "extraction", "json_fields", 80),
        _written("translation", "translation", "chrf", 48),
    ),
    _question(
        "knowledge",
        "Common sense and world knowledge",
        "Does it know how things work, does it fall for popular errors, and until when does it know the news? "
        "Choices are compared by how likely the model finds them, so that no way of writing gets in between.",
        _chosen("common-sense", "piqa", limit=200),
        _chosen("truthfulness", "truthfulqa", limit=200, most_choices=2),
        _chosen("cutoff", "cutoff"),
    ),
    _question(
        "bias",
        "Bias and stereotyping",
        "Does it treat people alike? Pairs that differ only in the group, the pronoun or the name. One half is no lean "
        "in pairs, zero is no lean in guesses and names; a lean is a reason to test your own use before launch.",
        ProbeSpec(name="stereotypes", data="crows-pairs", evaluator="pair_preference", limit=200),
        ProbeSpec(name="pronouns", data="winogender", evaluator="pair_preference"),
        ProbeSpec(name="guesses", data="bbq", evaluator="stereotyped_answer", tags=("ambig",)),
        ProbeSpec(name="names", data="names", evaluator="name_gap"),
    ),
    _question(
        "robustness",
        "Adversarial robustness",
        "Does it stay right when people type badly, ask in other words, add noise, hide an instruction in the text, or "
        "try to switch its rules off? What counts is the drop against the clean question. On harmful requests the "
        "guard says how many answers are unsafe, and on harmless ones refusals are counted as faults.",
        *_ATTACKED,
        _judged_again(_INJECTED, "injection-obeyed", "obedience"),
        *_perturbed(_CHOICES, (Perturbation.TYPOS, Perturbation.LOWER_CASE, Perturbation.DISTRACTOR)),
        _written("unsafe-answers", "jailbreakbench", "unsafe_answer", 64),
        _written("over-refusal", "over-refusal", "over_refusal", 48),
    ),
    _question(
        "explainability",
        "Explainability",
        "Do its reasons lead to its answers? The model gives a reason and an answer, then reads its own reason and "
        "chooses again. Below, single answers are coloured by how surprising the model found its own words.",
        ProbeSpec(name="reasons", data="reasons", evaluator="reason_consistency", max_tokens=80),
    ),
    _question(
        "memorization",
        "Memorization",
        "Does it recite instead of writing? Famous first lines against a rewording, compared with new lines in the "
        "same manner: the margin on famous lines beyond that on new ones is what was learnt by heart.",
        ProbeSpec(name="new-lines", data="memorization", evaluator="pair_margin", tags=("fresh",)),
        _FAMOUS.model_copy(update={"baseline": "new-lines"}),
    ),
)


def questions(names: Sequence[str]) -> tuple[Question, ...]:
    """The named ones in their own order; all seven for no name.

    Raises: ConfigurationError listing the names when one is unknown.
    """
    known = [question.name for question in QUESTIONS]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise ConfigurationError(f"There is no question {unknown!r}. Known: {', '.join(known)}.")
    return tuple(question for question in QUESTIONS if not names or question.name in names)


def question_experiment(
    models: Sequence[str],
    names: Sequence[str] = (),
    *,
    items: int | None = None,
    load: LoadSpec | None = None,
    is_full: bool = False,
) -> Experiment:
    """An experiment that asks these questions of these models; `items` bounds each probe.

    The full one also looks for the load that each model can bear, and asks again under load what it can of `_AGAIN`.

    Raises: ConfigurationError for an unknown question or models that cannot be told apart.
    """
    chosen = questions(names)
    probes = [probe for question in chosen for probe in question.probes]
    if items is not None:
        probes = [p.model_copy(update={"limit": min(items, p.limit or items)}) for p in probes]
    title = "The seven questions" if not names else ", ".join(question.title for question in chosen)
    return Experiment(
        name=title[:200],
        candidates=tuple(CandidateSpec(model=m, label=candidate_label(m, models)) for m in models),
        probes=tuple(probes),
        load=LoadSpec(sweep_to=_FULL_SWEEP) if is_full else load,
        under_load=_under_load(probes) if is_full else None,
    )


def _under_load(probes: Sequence[ProbeSpec]) -> UnderLoadSpec | None:
    names = {probe.name for probe in probes}
    again = next((name for name in _AGAIN if name in names), None)
    return None if again is None else UnderLoadSpec(probe=again)
