"""What rows of the team's own come to, in words and a table: good ones, bad ones by line and reason, a preview."""

from __future__ import annotations

import json
from html import escape

from evaluators.data import EvaluationSet, RawTable
from workbench.ui.notice import Kind, notice_html
from workbench.ui.tables import table_html

PREVIEW_ROWS = 5
SHOWN_BAD_ROWS = 20
_CELL_CHARACTERS = 120


def data_html(table: RawTable, found: EvaluationSet) -> str:
    """The notice, the bad rows and the first rows as they stand in the file."""
    return _summary(found) + _bad_rows(found) + _preview(table)


def _summary(found: EvaluationSet) -> str:
    good, bad = len(found.samples), len(found.bad_rows)
    if not good:
        return notice_html(
            Kind.ERROR, "No row can be asked", "Choose other columns, or look at the reasons below."
        )
    chosen = sum(len(sample.choices) > 1 for sample in found.samples)
    expected = sum(bool(sample.expected) for sample in found.samples)
    about = f"{expected} with an expected answer, {chosen} with choices."
    kept = f" {bad} rows are left out." if bad else ""
    return notice_html(Kind.WARNING if bad else Kind.INFO, f"{good} questions", about + kept)


def _bad_rows(found: EvaluationSet) -> str:
    lines = [f"Line {row.line} {row.reason}." for row in found.bad_rows[:SHOWN_BAD_ROWS]]
    if len(found.bad_rows) > SHOWN_BAD_ROWS:
        lines.append(f"And {len(found.bad_rows) - SHOWN_BAD_ROWS} more.")
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="wb-bad-rows" aria-label="Rows left out">{items}</ul>'


def _preview(table: RawTable) -> str:
    rows = [
        [str(row.line), *(_cell(row.cells.get(column)) for column in table.columns)]
        for row in table.rows[:PREVIEW_ROWS]
    ]
    return table_html("First rows of your data", ["line", *table.columns], rows, "There are no rows to show.")


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _CELL_CHARACTERS else f"{text[:_CELL_CHARACTERS]} …"
