"""Evaluators from their settings and back: what an experiment's file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from pydantic import JsonValue, TypeAdapter, ValidationError

from evaluators.base import Evaluator
from workbench.core.errors import ConfigurationError
from workbench.core.registry import EVALUATORS, load


def open_evaluator(name: str, settings: Mapping[str, JsonValue] | None = None) -> Evaluator:
    """The evaluator of this name with these settings.

    Raises: ConfigurationError for an unknown name or setting, or a setting of the wrong type.
    """
    kind = load(EVALUATORS, name, "evaluator")
    known = {field.name for field in fields(kind)}
    given = dict(settings or {})
    unknown = sorted(set(given) - known)
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"The evaluator {name} has no setting {unknown[0]!r}. Known: {listed}.")
    try:
        evaluator: Evaluator = TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"The evaluator {name}: setting {place}: {first['msg']}.") from error
    return evaluator


def evaluator_settings(evaluator: Evaluator) -> dict[str, JsonValue]:
    """All settings as plain JSON, defaults included, so that a manifest repeats the run when defaults change."""
    settings: dict[str, JsonValue] = TypeAdapter(dict[str, JsonValue]).validate_json(
        TypeAdapter(dict).dump_json(asdict(evaluator))  # type: ignore[call-overload]
    )
    return settings
