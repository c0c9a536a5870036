"""The report read back: its tables as rows of cells, and the numbers in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

Tables = dict[str, list[list[list[str]]]]


class ReportTables(HTMLParser):
    """The tables below each heading: rows of cells, a cell the pieces of text in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: Tables = {}
        self.facts: list[str] = []
        self._heading = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag == "h2":
            self._heading = ""
        elif tag == "table":
            self.tables.setdefault(self._heading, [])
        elif tag == "tr" and self._heading in self.tables:
            self.tables[self._heading].append([])
        elif tag in ("td", "th") and self._heading in self.tables:
            self.tables[self._heading][-1].append([])

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.tables[self._heading].append([])

    def handle_data(self, data: str) -> None:
        rows = self.tables.get(self._heading)
        if self._inside == "h2" and not self._heading:
            self._heading = data.strip()
        elif self._inside in ("dt", "dd") and data.strip():
            self.facts.append(data.strip())
        elif rows and rows[-1] and data.strip():
            rows[-1][-1].append(data.strip())


def read_tables(page: str) -> ReportTables:
    """The page's tables, without empty rows."""
    found = ReportTables()
    found.feed(page)
    found.tables = {heading: [row for row in rows if row] for heading, rows in found.tables.items()}
    return found


def number(text: str) -> float:
    """The first number in a cell, in ms where it is a time."""
    found = re.search(r"[−+]?[\d,]+(\.\d+)?(e-\d+)?( s\b)?", text)
    assert found is not None, text
    value = float(found[0].removesuffix(" s").replace(",", "").replace("−", "-").replace("+", ""))
    return value * 1000 if found[3] else value


def shown(text: str, value: float | np.floating[Any]) -> bool:
    """Whether a cell says this value, as far as three digits go."""
    return number(text) == pytest.approx(float(value), rel=0.006, abs=0.5 if "%" in text else 1e-9)
