"""The recorded sample verdict that comes with Workbench, so that people see where the road leads."""

from __future__ import annotations

from importlib.resources import files

_FILE = "report.html"


def sample_report() -> str | None:
    """The sample's page, labelled as a recording; None where the package has none."""
    path = files("assets").joinpath("sample-verdict", _FILE)
    return path.read_text("utf-8") if path.is_file() else None
