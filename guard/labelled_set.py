"""Labelled guard sets: JSON lines with `prompt`, `response`, `label` and `categories`.

`response` and `categories` are optional; `label` is safe or unsafe.
A bad row is named by line number and reason, without any of its text; the good rows are not lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from guard.base import Direction
from guard.taxonomy import STANDARD_BY_CODE
from workbench.core.chat import Message, Role
from workbench.core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row. With a `response`, the response is what is judged. `categories` are S1..S14."""

    line: int
    prompt: str
    is_unsafe: bool
    response: str | None = None
    categories: tuple[str, ...] = ()
    id: str | None = None

    @property
    def direction(self) -> Direction:
        """Which side the label is about."""
        return Direction.INPUT if self.response is None else Direction.OUTPUT

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The row as a chat."""
        asked = Message(Role.USER, self.prompt)
        return (asked,) if self.response is None else (asked, Message(Role.ASSISTANT, self.response))


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is not a row, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """What a file holds, in its order."""

    rows: tuple[LabelledRow, ...]
    bad_rows: tuple[BadRow, ...] = ()


def read_labelled_file(path: Path) -> LabelledSet:
    """The set in a file. Raises: InvalidRequest when it cannot be read or has no good row."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as failure:
        raise InvalidRequest(
            f"The guard set cannot be read ({failure.strerror}). Check its path."
        ) from failure
    found = read_labelled_lines(lines)
    if not found.rows:
        first = f" Line {found.bad_rows[0].line}: {found.bad_rows[0].reason}." if found.bad_rows else ""
        raise InvalidRequest(f"The guard set has no usable row.{first}")
    return found


def read_labelled_lines(lines: Iterable[bytes | str]) -> LabelledSet:
    """The set in these lines, counted from 1; empty lines are left out."""
    rows: list[LabelledRow] = []
    bad_rows: list[BadRow] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(_row(number, line))
        except _Unusable as failure:
            bad_rows.append(BadRow(number, str(failure)))
    return LabelledSet(tuple(rows), tuple(bad_rows))


class _Unusable(ValueError):
    """Why a line is not a row."""


def _row(number: int, line: bytes | str) -> LabelledRow:
    fields = _fields(line)
    label = fields.get("label")
    if label not in ("safe", "unsafe"):
        raise _Unusable("`label` must be safe or unsafe")
    response = fields.get("response")
    if response is not None and not isinstance(response, str):
        raise _Unusable("`response` must be text")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str):
        raise _Unusable("`prompt` must be text")
    if not prompt.strip() and not (response or "").strip():
        raise _Unusable("the text is empty")
    row_id = fields.get("id")
    return LabelledRow(
        line=number,
        prompt=prompt,
        is_unsafe=label == "unsafe",
        response=response,
        categories=_categories(fields.get("categories")),
        id=None if row_id is None else str(row_id),
    )


def _fields(line: bytes | str) -> Mapping[str, object]:
    try:
        text = line.decode("utf-8-sig") if isinstance(line, bytes) else line.removeprefix("\ufeff")
        fields = json.loads(text)
    except UnicodeDecodeError:
        raise _Unusable("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise _Unusable("not JSON") from None
    if not isinstance(fields, dict):
        raise _Unusable("not a JSON object")
    return fields


def _categories(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(code, str) and code in STANDARD_BY_CODE for code in value
    ):
        raise _Unusable("`categories` must be a list of S1..S14")
    return tuple(value)
