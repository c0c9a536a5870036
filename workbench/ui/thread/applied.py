"""The settings an answer was really made with, and who decided each: asked for, the model's own, or the default."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from workbench.core.params import PARAMS

_SOURCES = (("requested", "set here"), ("from_model", "the model's own"), ("defaulted", "default"))


def applied_html(effective: Mapping[str, Any]) -> str:
    """A folded table of what was applied; "" where the backend does not report it."""
    params = effective.get("params")
    if not isinstance(params, Mapping):
        return ""
    source_of = {name: label for key, label in _SOURCES for name in effective.get(key, ())}
    rows = "".join(
        f"<tr><th>{escape(_label(name))}</th><td>{escape(_value(value))}</td>"
        f"<td>{escape(source_of.get(name, ''))}</td></tr>"
        for name, value in params.items()
        if _is_worth_showing(name, value, source_of.get(name))
    )
    return (
        f'<details class="wb-applied"><summary>Settings applied</summary><table><tbody>{rows}</tbody></table>'
        "</details>"
    )


def _is_worth_showing(name: str, value: Any, source: str | None) -> bool:
    """All but the lists that are empty and the switches that are off because nobody asked."""
    return source != "default" or name == "seed" or value not in ([], {}, False, None, "")


def _label(name: str) -> str:
    return PARAMS[name].label if name in PARAMS else name


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(repr(entry) for entry in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
