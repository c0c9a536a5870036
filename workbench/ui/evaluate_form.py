"""From the Evaluate page's form to an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any

from pydantic import JsonValue

from evaluators.base import Scale
from evaluators.data import EvaluationSet
from evaluators.spec import open_evaluator
from workbench.core.errors import InvalidRequest
from workbench.experiments.quick import OWN_PROBE, QUICK_PROBES, probe_of
from workbench.experiments.seven_questions import Question, questions
from workbench.experiments.spec import Experiment, ProbeSpec, parse_experiment

LIKELIHOOD_SETS = ("piqa", "truthfulqa", "crows-pairs", "winogender", "bbq")
"""Built-in sets that the page offers: all are judged by log-likelihood, which takes no writing and no judge."""
_PAIRS = frozenset({"crows-pairs", "winogender"})


@dataclass(frozen=True, slots=True)
class FormFields:
    """The form's values in the order of its inputs; an empty number asks for nothing."""

    models: Sequence[str]
    system: str
    sets: Sequence[str]
    questions: Sequence[str]
    own: EvaluationSet | None
    items: float | None
    rate: str
    peak: str
    seconds: float | None
    quality_percent: float | None
    lean_percent: float | None
    ttft_ms: float | None
    tpot_ms: float | None
    requests_per_minute: float | None
    price_per_hour: float | None


ESTIMATED_BY = tuple(
    place
    for place, field in enumerate(dataclass_fields(FormFields))
    if field.name in ("models", "sets", "questions", "own", "items", "seconds")
)
"""The places of the inputs that decide how long a run takes."""


def experiment_of(fields: FormFields) -> Experiment:
    """What the form asks for.

    Raises: InvalidRequest or ConfigurationError saying what to change.
    """
    if not fields.models:
        raise InvalidRequest("Choose at least one model.", param="models")
    probes = _probes(fields)
    table: dict[str, Any] = {
        "name": " or ".join(model.rpartition("/")[2] for model in fields.models)[:200],
        "candidates": [_candidate(model, fields) for model in fields.models],
        "probes": [probe.model_dump(mode="json") for probe in probes],
        "load": _load(fields),
        "requirements": _requirements(fields, probes),
        "machine_price_per_hour": fields.price_per_hour or None,
    }
    return parse_experiment(table, "The form")


def _probes(fields: FormFields) -> list[ProbeSpec]:
    """The chosen questions' probes, the chosen sets' and the team's own, each name once."""
    items = int(fields.items or 200)
    asked = [probe for question in chosen_questions(fields.questions) for probe in question.probes]
    found = [probe.model_copy(update={"limit": min(items, probe.limit or items)}) for probe in asked]
    found += [_probe(name, items) for name in fields.sets]
    if fields.own is not None:
        found.append(probe_of(fields.own.samples, OWN_PROBE))
    return list({probe.name: probe for probe in reversed(found)}.values())[::-1]


def chosen_questions(names: Sequence[str]) -> Sequence[Question]:
    """The chosen ones of the seven; none for no name."""
    return questions(names) if names else ()


def _candidate(model: str, fields: FormFields) -> dict[str, Any]:
    short = [name.rpartition("/")[2] for name in fields.models]
    label = model.rpartition("/")[2] if len(set(short)) == len(short) else model
    return {"model": model, "label": label, "system": fields.system}


def _probe(data: str, items: int) -> ProbeSpec:
    """The quick check's own probe of this set, or one like it."""
    known = next((probe for probe in QUICK_PROBES if probe.data == data), None)
    if known is not None:
        return known.model_copy(update={"limit": items})
    evaluator = "pair_preference" if data in _PAIRS else "multiple_choice"
    return ProbeSpec(name=data, data=data, evaluator=evaluator, limit=items)


def _load(fields: FormFields) -> dict[str, Any] | None:
    if not fields.seconds:
        return None
    return {"rate": fields.rate, "peak": fields.peak.strip() or None, "duration": f"{fields.seconds:g}s"}


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
        elif _counts_as_right(probe) and fields.quality_percent is not None:
            quality[probe.name] = fields.quality_percent / 100
    asked: dict[str, JsonValue] = {"quality": quality} if quality else {}
    if fields.seconds:
        limits = {
            "ttft_p95_ms": fields.ttft_ms,
            "tpot_p95_ms": fields.tpot_ms,
            "requests_per_minute": fields.requests_per_minute,
        }
        asked |= {name: limit for name, limit in limits.items() if limit is not None}
    return asked
