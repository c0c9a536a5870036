"""The report of the experiment in a module's own `home`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiments.report.tables import ReportTables, read_tables


@pytest.fixture(scope="module")
def report(home: Path) -> ReportTables:
    """Its tables."""
    return read_tables((home / "report.html").read_text())
