"""Requests for models as a table for spreadsheets, or as lines of JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields

from workbench.model_requests import RequestDetails
from workbench.store import RequestForm

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell must not begin with: spreadsheets would reckon it."""


def as_jsonl(requests: Sequence[RequestDetails]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(_row(details), ensure_ascii=False) + "\n" for details in requests)


def as_csv(requests: Sequence[RequestDetails]) -> str:
    """One row a request under a row of names; a cell that a spreadsheet would take for a formula gets a quote."""
    rows = [_row(details) for details in requests]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(row[name]) for name in _COLUMNS] for row in rows)
    return file.getvalue()


_FORM = tuple(field.name for field in fields(RequestForm))
_COLUMNS = ("id", "state", "created_at", "changed_at", "account", *_FORM, "supporters", "notes", "files")


def _row(details: RequestDetails) -> dict[str, object]:
    request = details.request
    return {
        "id": request.id,
        "state": request.state.value,
        "created_at": request.created_at.isoformat(timespec="seconds"),
        "changed_at": request.changed_at.isoformat(timespec="seconds"),
        "account": request.account,
        **{name: str(getattr(request.form, name)) for name in _FORM},
        "supporters": [{"account": one.account, "email": one.email} for one in details.supporters],
        "notes": [{"author": note.author, "text": note.text} for note in details.notes],
        "files": [file.name for file in details.attachments],
    }


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
