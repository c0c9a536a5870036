"""From the Evaluate page's form to an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from workbench.core.errors import InvalidRequest
from workbench.experiments.quick import QUICK_PROBES, own_probe
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
    file: str | None
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


def experiment_of(fields: FormFields) -> Experiment:
    """What the form asks for.

    Raises: InvalidRequest or ConfigurationError saying what to change.
    """
    if not fields.models:
        raise InvalidRequest("Choose at least one model.", param="models")
    probes = [_probe(name, int(fields.items or 200)) for name in fields.sets]
    if fields.file:
        probes.append(own_probe(Path(fields.file)))
    table: dict[str, Any] = {
        "name": " or ".join(model.rpartition("/")[2] for model in fields.models)[:200],
        "candidates": [_candidate(model, fields) for model in fields.models],
        "probes": [probe.model_dump(mode="json") for probe in probes],
        "load": _load(fields),
        "requirements": _requirements(fields, probes),
        "machine_price_per_hour": fields.price_per_hour or None,
    }
    return parse_experiment(table, "The form")


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


def _requirements(fields: FormFields, probes: Sequence[ProbeSpec]) -> dict[str, JsonValue]:
    quality: dict[str, JsonValue] = {}
    for probe in probes:
        if probe.evaluator == "pair_preference":
            if fields.lean_percent is not None:
                quality[probe.name] = {"at_most": fields.lean_percent / 100}
        elif fields.quality_percent is not None:
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
