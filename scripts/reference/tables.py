"""What pages are made of: Markdown tables, and the texts that stand under the fields of a class."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field
from enum import Enum
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; pipes and line breaks in cells are escaped."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(value: object) -> str:
    """A value as it is written, in code quotes; nothing for None."""
    if value is None:
        return ""
    shown = value.value if isinstance(value, Enum) else value
    return f"`{shown}`" if isinstance(shown, str) else f"`{_number(shown)}`"


def _number(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


def sentence(docstring: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.cleandoc(docstring or "")).partition("\n\n")[0].split())


def type_name(annotation: object) -> str:
    """A type as its reader would say it: `int`, `text`, `true or false`, joined by "or" without None."""
    parts = [part.strip() for part in str(getattr(annotation, "__name__", annotation)).split("|")]
    spoken = {
        "str": "text",
        "bool": "true or false",
        "int": "whole number",
        "float": "number",
        "Path": "path",
        "SecretStr": "text",
    }
    named = [spoken.get(part.rpartition(".")[2], part) for part in parts if part != "None"]
    return " or ".join(named)


def field_texts(owner: type) -> dict[str, str]:
    """What stands as a string under each field in the source of `owner`'s body, by the field's name."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{owner} is no class")
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = " ".join(text.value.value.split())
    return found


def default_of(field: Field[Any]) -> str:
    """A dataclass field's default as a cell: "required" where there is none."""
    if field.default is not MISSING:
        return code(field.default if field.default != "" else None)
    return "required" if field.default_factory is MISSING else ""
