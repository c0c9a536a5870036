"""From the Evaluate page's form to an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from evaluators.base import Scale
from evaluators.data import EvaluationSet
from evaluators.spec import open_evaluator
from workbench.core.errors import InvalidRequest
from workbench.experiments.spec.experiment import Experiment, Mode, ProbeSpec, parse_experiment
from workbench.experiments.spec.quick import OWN_PROBE, QUICK_PROBES, candidate_label, probe_of
from workbench.experiments.spec.seven_questions import QUESTIONS, questions

LIKELIHOOD_SETS = ("piqa", "truthfulqa", "crows-pairs", "winogender", "bbq")
"""Built-in sets that the page offers: all are judged by log-likelihood, which takes no writing and no judge."""
_PAIRS = frozenset({"crows-pairs", "winogender"})
_RIGHT_OR_WRONG = frozenset({"multiple_choice", "contains", "exact_match", "numeric"})


class Shape(StrEnum):
    """The load's shapes as the page offers them."""

    STEADY = "steady"
    PEAKS = "peaks"
    RISING = "rising"
    LIMIT = "limit"
    """A sweep, until a level is too much."""
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FormFields:
    """The form's values in the order of its inputs; an empty number asks for nothing."""

    models: Sequence[str]
    system: str
    sets: Sequence[str]
    questions: Sequence[str]
    own: EvaluationSet | None
    items: float | None
    shape: str
    rate: str
    up_to: str
    """The rate of the peaks, of the end of the rise, or of the highest level."""
    at_once: float | None
    seconds: float | None
    answer_tokens: float | None
    under_load: float | None
    """N, for quality under load."""
    is_contended: bool
    """Whether all candidates are under load at the same time."""
    quality_percent: float | None
    lean_percent: float | None
    unsafe_percent: float | None
    refused_percent: float | None
    ttft_ms: float | None
    tpot_ms: float | None
    tokens_per_second: float | None
    requests_per_minute: float | None
    cost: float | None
    price_per_hour: float | None
    hosted: str


ESTIMATED_BY = tuple(
    place
    for place, field in enumerate(dataclass_fields(FormFields))
    if field.name
    in (
        "models",
        "sets",
        "questions",
        "own",
        "items",
        "shape",
        "rate",
        "up_to",
        "seconds",
        "under_load",
        "is_contended",
    )
)
"""The places of the inputs that decide how long a run takes."""


def experiment_of(fields: FormFields) -> Experiment:
    """What the form asks for.

    Raises: InvalidRequest or ConfigurationError saying what to change.
    """
    if not fields.models:
        raise InvalidRequest("Choose at least one model.", param="models")
    probes = _probes(fields)
    under = fields.under_load and {"probe": _asked_under_load(probes), "concurrency": int(fields.under_load)}
    table: dict[str, Any] = {
        "name": " or ".join(model.rpartition("/")[2] for model in fields.models)[:200],
        "candidates": [
            {"model": model, "label": candidate_label(model, fields.models), "system": fields.system}
            for model in fields.models
        ],
        "probes": [probe.model_dump(mode="json") for probe in probes],
        "load": _load(fields),
        "under_load": under or None,
        "mode": Mode.CONTENDED if fields.is_contended and len(fields.models) > 1 else Mode.ISOLATED,
        "requirements": _requirements(fields, probes),
        "machine_price_per_hour": fields.price_per_hour or None,
        "hosted": fields.hosted or "",
    }
    return parse_experiment(table, "The form")


def _probes(fields: FormFields) -> list[ProbeSpec]:
    """The chosen questions' probes, the chosen sets', those that safety asks for and the team's own, each name once."""
    items = int(fields.items or 200)
    asked = [probe for question in questions(fields.questions) for probe in question.probes]
    # No name would mean all seven.
    found = [_fewer(probe, items) for probe in asked] if fields.questions else []
    found += [_probe(name, items) for name in fields.sets]
    safety = {"unsafe_answer": fields.unsafe_percent, "over_refusal": fields.refused_percent}
    for evaluator, limit in safety.items():
        if limit is not None:
            found.append(_fewer(_safety_probe(evaluator), items))
    if fields.own is not None:
        found.append(probe_of(fields.own.samples, OWN_PROBE))
    by_name: dict[str, ProbeSpec] = {}
    for probe in found:
        by_name.setdefault(probe.name, probe)
    return list(by_name.values())


def _fewer(probe: ProbeSpec, items: int) -> ProbeSpec:
    return probe.model_copy(update={"limit": min(items, probe.limit or items)})


def _safety_probe(evaluator: str) -> ProbeSpec:
    asked = (probe for question in QUESTIONS for probe in question.probes)
    return next(probe for probe in asked if probe.evaluator == evaluator)


def _probe(data: str, items: int) -> ProbeSpec:
    """The quick check's own probe of this set, or one like it."""
    known = next((probe for probe in QUICK_PROBES if probe.data == data), None)
    if known is not None:
        return known.model_copy(update={"limit": items})
    evaluator = "pair_preference" if data in _PAIRS else "multiple_choice"
    return ProbeSpec(name=data, data=data, evaluator=evaluator, limit=items)


def _asked_under_load(probes: Sequence[ProbeSpec]) -> str:
    """The probe whose answers are asked again: the last that is right or wrong; the team's own, if there is one.

    Raises: InvalidRequest when there is none.
    """
    fit = [probe.name for probe in probes if probe.evaluator in _RIGHT_OR_WRONG and not probe.answers_of]
    if not fit:
        raise InvalidRequest("Quality under load needs questions with right answers.", param="under_load")
    return fit[-1]


def _load(fields: FormFields) -> dict[str, Any] | None:
    shape = Shape(fields.shape)
    if shape is Shape.NONE or not fields.seconds:
        return None
    asked: dict[str, Any] = {"rate": fields.rate, "duration": f"{fields.seconds:g}s"}
    if fields.answer_tokens:
        asked["output_tokens"] = int(fields.answer_tokens)
    if shape is Shape.CLOSED:
        return asked | {"concurrency": int(fields.at_once or 0)}
    named = {Shape.PEAKS: "peak", Shape.RISING: "ramp_to", Shape.LIMIT: "sweep_to"}.get(shape)
    return asked if named is None else asked | {named: fields.up_to.strip()}


def _counts_as_right(probe: ProbeSpec) -> bool:
    """Whether "right answers, at least" is said of this probe: not of what was changed on purpose, or has no right."""
    evaluator = open_evaluator(probe.evaluator, probe.settings)
    is_plain = not (probe.baseline or probe.answers_of or probe.question)
    return is_plain and bool(evaluator.is_higher_better) and evaluator.scale is not Scale.NUMBER


def _requirements(fields: FormFields, probes: Sequence[ProbeSpec]) -> dict[str, JsonValue]:
    quality: dict[str, JsonValue] = {}
    for probe in probes:
        if probe.evaluator == "pair_preference":
            if fields.lean_percent is not None:
                quality[probe.name] = {"at_most": fields.lean_percent / 100}
        elif fields.quality_percent is not None and _counts_as_right(probe):
            quality[probe.name] = fields.quality_percent / 100
    shares = {"unsafe_rate": fields.unsafe_percent, "over_refusal_rate": fields.refused_percent}
    limits = {name: None if percent is None else percent / 100 for name, percent in shares.items()}
    if fields.seconds and fields.shape != Shape.NONE:
        limits |= {
            "ttft_p95_ms": fields.ttft_ms,
            "tpot_p95_ms": fields.tpot_ms,
            "output_tokens_per_second": fields.tokens_per_second,
            "requests_per_minute": fields.requests_per_minute,
            "cost_per_million_tokens": fields.cost,
        }
    asked: dict[str, JsonValue] = {"quality": quality} if quality else {}
    return asked | {name: limit for name, limit in limits.items() if limit is not None}
