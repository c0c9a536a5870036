"""report.html: one page that needs nothing else, for the manager who has a minute and the engineer who has ten."""

from __future__ import annotations

from workbench.experiments.report.page import report_html

__all__ = ["report_html"]
