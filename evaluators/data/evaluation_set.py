"""Rows that mean something: samples, and why the other rows are none."""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from pydantic import JsonValue

from evaluators.base import Sample
from evaluators.data.mapping import ColumnMapping, suggest_mapping
from evaluators.data.table import BadRow, RawRow, RawTable, pasted_table, read_table
from workbench.core.chat import Message, Role

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Samples in the file's order, and the rows left out."""

    name: str
    samples: tuple[Sample, ...]
    bad_rows: tuple[BadRow, ...] = ()

    @property
    def sha256(self) -> str:
        """A hash of what is asked and expected, the same whatever kind of file it came in."""
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(json.dumps(sample_to_row(sample), sort_keys=True, ensure_ascii=False).encode())
            digest.update(b"\n")
        return digest.hexdigest()


class _RowError(Exception):
    """Why a row is no sample; quotes nothing from it."""


def read_evaluation_set(data: bytes, filename: str, mapping: ColumnMapping | None = None) -> EvaluationSet:
    """The file's evaluation set; without a mapping the columns' names decide.

    Raises: InvalidRequest when the file is unreadable as a whole, or the mapping does not fit it.
    """
    return samples_from_table(read_table(data, filename), filename, mapping)


def paste_evaluation_set(text: str, mapping: ColumnMapping | None = None) -> EvaluationSet:
    """The pasted text's evaluation set.

    Raises: InvalidRequest as `read_evaluation_set`.
    """
    return samples_from_table(pasted_table(text), "pasted text", mapping)


def samples_from_table(table: RawTable, name: str, mapping: ColumnMapping | None = None) -> EvaluationSet:
    """The table's rows as samples; those that are none join its bad rows, in order of lines.

    Raises: InvalidRequest when the mapping does not fit the columns.
    """
    chosen = suggest_mapping(table.columns) if mapping is None else mapping
    if table.columns:
        chosen.check(table.columns)
    samples: list[Sample] = []
    bad = list(table.bad_rows)
    line_of: dict[str, int] = {}
    for row in table.rows:
        try:
            sample = _sample(row, chosen)
        except _RowError as error:
            bad.append(BadRow(row.line, str(error)))
            continue
        first = line_of.setdefault(sample.id, row.line)
        if first != row.line:
            bad.append(BadRow(row.line, f"repeats the id of line {first}"))
            continue
        samples.append(sample)
    return EvaluationSet(name, tuple(samples), tuple(sorted(bad, key=lambda row: row.line)))


def sample_from_row(row: Mapping[str, JsonValue], line: int = 1) -> Sample:
    """The sample of one row in the contract's own columns.

    Raises: ValueError with the reason when it is none.
    """
    try:
        return _sample(RawRow(line, row), suggest_mapping(tuple(row)))
    except _RowError as error:
        raise ValueError(str(error)) from error


def sample_to_row(sample: Sample) -> dict[str, JsonValue]:
    """The sample as one row of an evaluation set's JSONL; what it lacks is left out."""
    row: dict[str, JsonValue] = {"id": sample.id}
    if sample.messages:
        row["messages"] = [{"role": m.role.value, "content": m.content} for m in sample.messages]
    else:
        row["prompt"] = sample.prompt
    if sample.expected:
        row["expected"] = sample.expected[0] if len(sample.expected) == 1 else list(sample.expected)
    if sample.choices:
        row["choices"] = list(sample.choices)
    if sample.tags:
        row["tags"] = list(sample.tags)
    if sample.metadata:
        row["metadata"] = dict(sample.metadata)
    return row


def samples_to_frame(samples: Sequence[Sample]) -> pd.DataFrame:
    """One row a sample, in the contract's columns."""
    columns = ["id", "prompt", "messages", "expected", "choices", "tags", "metadata"]
    return pd.DataFrame([sample_to_row(sample) for sample in samples], columns=columns)


def _sample(row: RawRow, mapping: ColumnMapping) -> Sample:
    def cell(column: str | None) -> JsonValue:
        value = None if column is None else row.cells.get(column)
        return None if isinstance(value, str) and not value.strip() else value

    prompt, messages = _prompt(cell(mapping.prompt)), _messages(cell(mapping.messages))
    choices = _texts(cell(mapping.choices), "choices", split="|")
    if prompt and messages:
        raise _RowError("has both a prompt and messages")
    if not prompt and not messages and len(choices) < 2:
        raise _RowError("has neither a prompt nor messages")
    if len(choices) == 1 or len(set(choices)) < len(choices):
        raise _RowError("needs at least two different choices, or none")
    identity = cell(mapping.id)
    return Sample(
        id=f"line-{row.line}" if identity is None else _text(identity, "id"),
        prompt=prompt,
        messages=messages,
        expected=_expected(cell(mapping.expected), choices),
        choices=choices,
        tags=_texts(cell(mapping.tags), "tags", split="|"),
        metadata=_metadata(row, mapping),
    )


def _prompt(value: JsonValue) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RowError("has a prompt that is not text")
    return value


def _text(value: JsonValue, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise _RowError(f"has {what} that is neither text nor a number")


def _parsed(value: JsonValue) -> JsonValue:
    """A CSV cell that holds JSON, as that JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            parsed: JsonValue = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return parsed
    return value


def _texts(value: JsonValue, what: str, *, split: str) -> tuple[str, ...]:
    value = _parsed(value)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(split) if part.strip())
    if not isinstance(value, list):
        raise _RowError(f"has {what} that are not a list")
    return tuple(_text(item, what) for item in value)


def _expected(value: JsonValue, choices: Sequence[str]) -> tuple[str, ...]:
    parsed = _parsed(value)
    if value is None:
        return ()
    if isinstance(parsed, list):
        expected = tuple(_text(item, "an expected answer") for item in parsed)
    elif isinstance(parsed, dict):
        # A record to be extracted: compared as the JSON text it is.
        expected = (value if isinstance(value, str) else json.dumps(parsed, ensure_ascii=False),)
    else:
        expected = (_text(value, "an expected answer"),)
    if not choices:
        return expected
    chosen = tuple(_choice(text, choices) for text in expected)
    if not chosen:
        raise _RowError("expects none of its choices")
    return chosen


def _choice(text: str, choices: Sequence[str]) -> str:
    """The choice this expected text means: itself, or the one its letter stands for."""
    if text in choices:
        return text
    if text.strip() in choices:
        return text.strip()
    letter = text.strip().rstrip(".)").upper()
    position = string.ascii_uppercase.find(letter) if len(letter) == 1 else -1
    if not 0 <= position < len(choices):
        raise _RowError("expects an answer that is none of its choices")
    return choices[position]


def _messages(value: JsonValue) -> tuple[Message, ...]:
    value = _parsed(value)
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise _RowError("has messages that are not a list")
    return tuple(_message(item) for item in value)


def _message(item: JsonValue) -> Message:
    role = item.get("role") if isinstance(item, dict) else None
    content = item.get("content") if isinstance(item, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise _RowError("has a message whose role is not system, user or assistant")
    if not isinstance(content, str):
        raise _RowError("has a message whose content is not text")
    return Message(_ROLES[role], content)


def _metadata(row: RawRow, mapping: ColumnMapping) -> dict[str, JsonValue]:
    """The metadata column's object, and every column that means nothing else."""
    value = _parsed(row.cells.get(mapping.metadata) if mapping.metadata is not None else None)
    if value is not None and value != "" and not isinstance(value, dict):
        raise _RowError("has metadata that is not an object")
    meant = {mapping.id, mapping.prompt, mapping.messages, mapping.expected, mapping.choices, mapping.tags}
    meant.add(mapping.metadata)
    others = {name: item for name, item in row.cells.items() if name not in meant and item not in (None, "")}
    return others | (value if isinstance(value, dict) else {})
