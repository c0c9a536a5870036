"""The pages: each function gives the whole text of one, from the objects the program itself uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scripts.reference.tables import code, default_of, field_texts, sentence, table, type_name
from workbench.core import errors
from workbench.core.backend import ModelCard
from workbench.core.params import PARAMS, ParamSpec
from workbench.core.registry import EVALUATORS, load
from workbench.core.settings import Settings, default_home

_WRITTEN = "<!-- Written by `python -m scripts.reference`; do not edit. -->\n\n"


def parameters() -> str:
    """Every generation parameter, with both of its defaults."""
    rows = (
        [
            code(name),
            _range(spec),
            code(spec.api_default),
            code(spec.panel_default),
            spec.description,
        ]
        for name, spec in PARAMS.items()
    )
    return _page(
        "Generation parameters",
        "Every one is applied exactly, or the request is refused with 400 `unsupported_parameter`. A field that is "
        "absent or `null` takes the value of the model's own `generation_config` where it has one, else the default. "
        "The page's panel starts from values of its own. `x_effective: true` in a request returns what was applied "
        "and where each value came from; `x_timing: true` returns how long the call took by the server's own clock "
        "([how time is measured](../explanation/honest-timing.md)).",
        table(["field", "values", "default", "panel starts at", "what it does"], rows),
    )


def _range(spec: ParamSpec) -> str:
    kind = "whole number" if spec.is_integer else "number"
    if spec.low is None and spec.high is None:
        return {"strings": "text", "switch": "true or false"}.get(spec.control.value, kind)
    low, high = ("" if bound is None else f"{bound:g}" for bound in (spec.low, spec.high))
    if spec.name == "seed":
        return "whole number of 64 bits"
    return f"{kind}, {low} to {high}" if high else f"{kind}, at least {low}"


def settings() -> str:
    """Every environment variable."""
    rows = (
        [
            code(f"WORKBENCH_{name.upper()}"),
            type_name(field.annotation),
            "the platform's user data folder" if field.default_factory is default_home else _default(field),
            field.description or "",
        ]
        for name, field in Settings.model_fields.items()
    )
    return _page(
        "Settings",
        "Environment variables, read once when the process starts. `workbench serve` has options for the commonest; "
        "an option wins. Beside these the model libraries' own hold: `HF_TOKEN`, `HF_HOME`, `HF_HUB_OFFLINE`. "
        "Programs that call the API read `WORKBENCH_API_KEY`.",
        table(["variable", "value", "default", "what it sets"], rows),
    )


def catalogue() -> str:
    """Every field of a `[[models]]` table."""
    texts = field_texts(ModelCard)
    rows = (
        [code(field.name), type_name(field.type), default_of(field), texts[field.name]]
        for field in fields(ModelCard)
    )
    return _page(
        "The catalogue",
        "`models.toml` has one `[[models]]` table a model; the first is the default. "
        "`workbench serve --models FILE` or `WORKBENCH_MODELS` names it; without either the built-in one holds. "
        "What is not set comes from the model's own configuration.",
        table(["field", "value", "default", "what it says"], rows),
    )


def error_codes() -> str:
    """Every error, by status."""
    kinds = sorted(_error_classes(errors.WorkbenchError), key=lambda kind: (kind.status, kind.code or ""))
    answers = (kind for kind in kinds if kind not in (errors.WorkbenchError, errors.ConfigurationError))
    rows = ([str(kind.status), code(kind.type), code(kind.code), sentence(kind.__doc__)] for kind in answers)
    return _page(
        "Errors",
        'Every answer that is not a success is `{"error": {"message", "type", "param", "code"}}`, all four always '
        "there, with the header `x-request-id`. `param` names the field at fault, or is `null`; an empty code below "
        "is `null`. Where a retry helps there is a `Retry-After`. In a stream the same object comes as "
        '`data: {"error": ...}`, then `data: [DONE]`. No error repeats text of the request.',
        table(["status", "type", "code", "when"], rows),
    )


def _error_classes(base: type[errors.WorkbenchError]) -> Iterator[type[errors.WorkbenchError]]:
    yield base
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from _error_classes(kind)


def metrics() -> str:
    """Every metric family, with the labels it was seen to have."""
    from scripts.reference.observed import metric_families

    rows = (
        [code(name), family.kind, ", ".join(map(code, family.labels)), family.says]
        for name, family in metric_families().items()
    )
    return _page(
        "Metrics",
        "`GET /metrics` in Prometheus' format, or OpenMetrics where the `Accept` header asks for it; it takes a key "
        "of any kind. Names of generative-AI metrics are OpenTelemetry's. Labels hold catalogue ids and fixed words, "
        "never text of a request. Latencies are of calls that were answered whole; a caller that left counts as "
        "status 499.",
        table(["metric", "kind", "labels", "what it says"], rows),
    )


def routes() -> str:
    """Every HTTP route."""
    from scripts.reference.observed import http_routes

    rows = ([code(route.method), code(route.path), route.says] for route in http_routes())
    return _page(
        "Routes",
        "The page is at `/`. The API takes a key as `Authorization: Bearer`, or the page's own session; only the "
        "health routes answer anyone. The OpenAPI document has every body and answer: `/openai/openapi.json`, to be "
        "read at `/openai/docs`.",
        table(["method", "path", "what it does"], rows),
    )


def evaluators() -> str:
    """Every evaluator with its settings."""
    parts = [_evaluator(name) for name in EVALUATORS]
    return _page(
        "Evaluators",
        "How an answer becomes a score. `needs` says whether the model writes a text, or whether it is asked how "
        "likely each choice is. A sample without what an evaluator needs is unscored, which is not 0.",
        "\n".join(parts),
    )


def _evaluator(name: str) -> str:
    kind = load(EVALUATORS, name, "evaluator")
    texts = field_texts(kind)
    rows = [[code(field.name), default_of(field), texts.get(field.name, "")] for field in fields(kind)]
    made = table(["setting", "default", "what it does"], rows) if rows else ""
    return f"## `{name}`\n\n{sentence(kind.__doc__)}\n\nScale: {kind.scale.value}; needs: {kind.needs.value}.\n\n{made}"


def experiments() -> str:
    """Every field of an experiment's file."""
    from workbench.experiments.spec.experiment import CandidateSpec, Experiment, ProbeSpec
    from workbench.experiments.spec.harness import HarnessSpec
    from workbench.experiments.spec.load import LoadSpec, UnderLoadSpec

    parts = [
        f"## {title}\n\n{sentence(model.__doc__)}\n\n{_fields_table(model)}"
        for title, model in (
            ("The file", Experiment),
            ("`[[candidates]]`", CandidateSpec),
            ("`[[probes]]`", ProbeSpec),
            ("`[[harness]]`", HarnessSpec),
            ("`[load]`", LoadSpec),
            ("`[under_load]`", UnderLoadSpec),
        )
    ]
    return _page("Experiments", "The TOML file that `workbench evaluate` runs.", "\n".join(parts))


def _fields_table(model: type[BaseModel]) -> str:
    texts = field_texts(model)
    rows = ([code(name), _default(field), texts.get(name, "")] for name, field in model.model_fields.items())
    return table(["field", "default", "what it says"], rows)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.is_required():
        return "required"
    if (
        value is PydanticUndefined
        or value is None
        or value == ""
        or isinstance(value, dict | tuple | BaseModel)
    ):
        return ""
    return code(value)


def command_line() -> str:
    """Every command with its arguments and options."""
    from scripts.reference.observed import commands

    parts = []
    for command in commands():
        made = table(["argument or option", "default", "what it does"], command.rows) if command.rows else ""
        parts.append(f"## `{command.path}`\n\n{command.says}\n\n{made}")
    return _page(
        "The command line",
        "Data goes to standard output, progress and logs to standard error. Exit codes: 0 done, 1 the run failed, 2 "
        "wrong usage.",
        "\n".join(parts),
    )


def _page(title: str, intro: str, body: str) -> str:
    return f"{_WRITTEN}# {title}\n\n{intro}\n\n{body.rstrip()}\n"


PAGES: dict[str, Callable[[], str]] = {
    "catalogue": catalogue,
    "command-line": command_line,
    "errors": error_codes,
    "evaluators": evaluators,
    "experiments": experiments,
    "metrics": metrics,
    "parameters": parameters,
    "routes": routes,
    "settings": settings,
}
"""File name without suffix -> the page's text."""
