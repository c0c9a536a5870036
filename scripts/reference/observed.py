"""What can be documented only by looking at the made thing: metrics after a call, the site's routes, the commands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import Mount

from workbench.admission import GateLoad
from workbench.core.access import KeyKind
from workbench.core.chat import Delta, Finished, Started, TrafficClass, Usage
from workbench.core.errors import InvalidApiKey
from workbench.telemetry import Telemetry

_BUCKET_LABEL = "le"


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A metric as it is exposed."""

    kind: str
    labels: tuple[str, ...]
    says: str


def metric_families() -> dict[str, MetricFamily]:
    """Every family by name, after one call has given each of them its labels."""
    telemetry = Telemetry(lambda: GateLoad(0, 0, 0))
    with telemetry.call("model", "chat", TrafficClass.INTERACTIVE) as watch:
        watch.admitted(0.0)
        for event in (
            Started(1, ""),
            Delta(0, token_count=1),
            Delta(0, token_count=1),
            Finished(Usage(1, 2)),
        ):
            watch.see(event)
    telemetry.blocked("guard")
    exposed, _ = telemetry.exposition()
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: MetricFamily(
            family.type, _labels(family.samples), family.documentation
        )
        for family in text_string_to_metric_families(exposed.decode())
        # every counter and histogram has a second family: when its series were made
        if not family.name.endswith("_created")
    }


def _labels(samples: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for sample in samples for name in sample.labels if name != _BUCKET_LABEL))


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One method of one path."""

    method: str
    path: str
    says: str


def http_routes() -> list[HttpRoute]:
    """The documented routes of a whole site, in order of their paths."""
    from workbench.backends.catalogue import read_catalogue
    from workbench.core.settings import Settings
    from workbench.site import build_app, make_workbench

    site = build_app(make_workbench(Settings(guard="off"), read_catalogue(None)), _NoKeys())
    apps = {"": site} | {
        route.path: route.app
        for route in site.routes
        if isinstance(route, Mount) and isinstance(route.app, FastAPI)
    }
    found = [
        HttpRoute(method.upper(), prefix + path, about["summary"])
        for prefix, app in apps.items()
        for path, methods in app.openapi()["paths"].items()
        for method, about in methods.items()
    ]
    return sorted(found, key=lambda route: (route.path, route.method))


class _NoKeys:
    """A key ring for a site that is looked at and not served."""

    async def authenticate(self, secret: str | None, kinds: Collection[KeyKind]) -> NoReturn:
        raise InvalidApiKey("This site is not served.")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `rows` has a row of cells for each argument and option."""

    path: str
    says: str
    rows: list[list[str]]


def commands() -> list[Command]:
    """Every command, in the order `--help` shows them."""
    import typer

    from workbench.cli import app

    return list(_commands(typer.main.get_command(app), "workbench"))


def _commands(command: Any, path: str) -> Iterator[Command]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, f"{path} {name}")
    if not hasattr(command, "commands"):
        yield Command(path, _prose(command.help or ""), [_cells(param) for param in command.params])


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cells(param: Any) -> list[str]:
    help_text = param.help or ""
    default = re.search(r" ?\[default: (.+)\]$", help_text)
    if default is not None:
        help_text, shown = help_text[: default.start()], f"`{default[1]}`"
    elif param.required:
        shown = "required"
    else:
        shown = "" if param.default in (None, False, ()) or callable(param.default) else f"`{param.default}`"
    if param.param_type_name == "argument":
        return [f"`{param.metavar or param.name.upper()}`", shown, help_text]
    value = "" if param.is_flag else f" {param.metavar or _value(param.display_type(None))}"
    return [f"`{', '.join(param.opts)}{value}`", shown, help_text]


def _value(shown: str) -> str:
    """What stands for an option's value: its choices, or a word for its type."""
    kind = shown.strip("<>")
    if "|" in kind:
        return kind
    return {"int range": "NUMBER", "int": "NUMBER", "float": "NUMBER", "path": "PATH"}.get(kind, "TEXT")
