"""Rows as they stand in a file: CSV, JSONL, JSON, Parquet, pasted text or a data frame, before they mean anything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import PurePath

import numpy as np
import pandas as pd
import pyarrow
from pydantic import JsonValue

from workbench.core.errors import InvalidRequest

MOST_ROWS = 100_000
_MOST_LINES_IN_A_ROW = 2000
_DELIMITERS = ",;\t"
_NOT_UTF8 = "is not valid UTF-8"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out. `line` counts from 1 (a line of the file, or a row where there are no lines)."""

    line: int
    reason: str
    """Quotes nothing from the row."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One readable row; `line` is where it begins."""

    line: int
    cells: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RawTable:
    """What a file holds, in its own columns."""

    columns: tuple[str, ...]
    rows: tuple[RawRow, ...]
    bad_rows: tuple[BadRow, ...] = ()

    def to_frame(self, most_rows: int | None = None) -> pd.DataFrame:
        """The first rows as they are, for a preview; indexed by line."""
        rows = self.rows[:most_rows]
        cells = [[row.cells.get(column) for column in self.columns] for row in rows]
        index = pd.Index([row.line for row in rows], name="line", dtype="int64")
        return pd.DataFrame(cells, columns=list(self.columns), index=index, dtype=object)


def read_table(data: bytes, filename: str) -> RawTable:
    """The rows of a file, read as its name's ending says: .csv, .tsv, .jsonl, .ndjson, .json or .parquet.

    Raises: InvalidRequest for another ending, or a file that is unreadable as a whole, empty or too long.
    """
    ending = PurePath(filename).suffix.lower()
    if ending in (".csv", ".tsv"):
        table = _csv_table(_decode(data))
    elif ending in (".jsonl", ".ndjson"):
        table = _jsonl_table(_decode(data))
    elif ending == ".json":
        table = _json_table(_decode(data))
    elif ending == ".parquet":
        table = _parquet_table(data)
    else:
        raise _unreadable("Data files end in .csv, .tsv, .jsonl, .ndjson, .json or .parquet")
    return _checked(table)


def pasted_table(text: str) -> RawTable:
    """The rows of pasted text: JSON, JSONL, CSV with a header, or else one prompt a line.

    Raises: InvalidRequest when there is nothing, or too much.
    """
    start = text.lstrip()
    first_line = start.split("\n", 1)[0]
    if start.startswith("["):
        return _checked(_json_table(text))
    if start.startswith("{"):
        return _checked(_jsonl_table(text))
    # A comma in the first line makes a header only where every cell looks like a column's name.
    cells = next(csv.reader([first_line], delimiter=_delimiter(first_line)), [])
    if len(cells) > 1 and all(cell.strip().replace("_", "").isalnum() for cell in cells):
        return _checked(_csv_table(text))
    lines = enumerate(text.splitlines(), start=1)
    return _checked(
        RawTable(("prompt",), tuple(RawRow(n, {"prompt": line}) for n, line in lines if line.strip()))
    )


def frame_table(frame: pd.DataFrame) -> RawTable:
    """The rows of a data frame; lines count from 1.

    Raises: InvalidRequest when it is empty, too long, or has two columns of one name.
    """
    columns = tuple(str(column) for column in frame.columns)
    _check_names(columns)
    rows: list[RawRow] = []
    bad: list[BadRow] = []
    for line, values in enumerate(frame.itertuples(index=False, name=None), start=1):
        try:
            cells = {name: _plain(value) for name, value in zip(columns, values, strict=True)}
        except TypeError as error:
            bad.append(BadRow(line, str(error)))
        else:
            _add_object(cells, line, rows, bad)
    return _checked(RawTable(columns, tuple(rows), tuple(bad)))


def _checked(table: RawTable) -> RawTable:
    if not table.rows and not table.bad_rows:
        raise _unreadable("There are no rows")
    if len(table.rows) + len(table.bad_rows) > MOST_ROWS:
        raise _unreadable(f"There are more than {MOST_ROWS:,} rows; split the file")
    return table


def _unreadable(reason: str) -> InvalidRequest:
    return InvalidRequest(f"{reason}.", param="data")


def _decode(data: bytes) -> str:
    """The file's text; bytes that are no UTF-8 become lone surrogates, so that only their rows are lost."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="surrogateescape")


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= char <= "\udcff" for char in text)


def _csv_table(text: str) -> RawTable:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Not splitlines(): that also splits at form feeds and U+2028, which may stand inside a cell.
    lines = io.StringIO(text, newline="\n").readlines()
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        return RawTable((), ())
    delimiter = _delimiter(lines[start])
    rows: list[RawRow] = []
    bad: list[BadRow] = []
    columns: tuple[str, ...] | None = None
    while start < len(lines):
        line = start + 1
        # strict: a quote that never closes is an error of its own row, and reading goes on behind its first line.
        reader = csv.reader(
            islice(lines, start, start + _MOST_LINES_IN_A_ROW), delimiter=delimiter, strict=True
        )
        try:
            cells = next(reader)
        except csv.Error as error:
            bad.append(BadRow(line, f"is not CSV: {error}"))
            start += 1
            continue
        start += reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = tuple(cell.strip() for cell in cells)
            _check_names(columns)
        elif len(cells) > len(columns):
            bad.append(BadRow(line, f"has {len(cells)} cells, but there are {len(columns)} columns"))
        elif not all(_is_utf8(cell) for cell in cells):
            bad.append(BadRow(line, _NOT_UTF8))
        else:
            rows.append(RawRow(line, dict(zip(columns, cells, strict=False))))
    return RawTable(columns or (), tuple(rows), tuple(bad))


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _check_names(columns: Sequence[str]) -> None:
    if len(set(columns)) < len(columns):
        raise _unreadable("Two columns have the same name")


def _jsonl_table(text: str) -> RawTable:
    rows: list[RawRow] = []
    bad: list[BadRow] = []
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        if not _is_utf8(content):
            bad.append(BadRow(line, _NOT_UTF8))
            continue
        try:
            value = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            bad.append(BadRow(line, "is not JSON"))
            continue
        _add_object(value, line, rows, bad)
    return RawTable(_columns(rows), tuple(rows), tuple(bad))


def _json_table(text: str) -> RawTable:
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _unreadable("The file is not JSON") from error
    if not isinstance(values, list):
        raise _unreadable("A JSON file must hold a list of objects")
    rows: list[RawRow] = []
    bad: list[BadRow] = []
    for number, value in enumerate(values, start=1):
        _add_object(value, number, rows, bad)
    return RawTable(_columns(rows), tuple(rows), tuple(bad))


def _add_object(value: JsonValue, line: int, rows: list[RawRow], bad: list[BadRow]) -> None:
    if not isinstance(value, dict):
        bad.append(BadRow(line, "is not a JSON object"))
    elif not _is_encodable(value):
        bad.append(BadRow(line, _NOT_UTF8))
    else:
        rows.append(RawRow(line, value))


def _is_encodable(value: JsonValue) -> bool:
    """Whether all its text can be written: JSON may escape half a surrogate pair, which no UTF-8 file can hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _columns(rows: Sequence[RawRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row.cells))


def _parquet_table(data: bytes) -> RawTable:
    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _unreadable("The file is not Parquet") from error
    return frame_table(frame)


def _plain(value: object) -> JsonValue:
    """The value as plain JSON; missing ones of any kind are None.

    Raises: TypeError for what JSON has no word for.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"has a cell of type {type(value).__name__}")
