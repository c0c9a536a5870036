"""The Guard lab, put together."""

from __future__ import annotations

from workbench.ui.context import PageContext
from workbench.ui.guard_lab.events import bind_lab
from workbench.ui.guard_lab.parts import build_lab_parts


def build_guard_lab_page(context: PageContext) -> None:
    """Two guards on a team's own texts, side by side, at any threshold."""
    bind_lab(build_lab_parts(context.workbench.guards.names), context.workbench, context.caller_of)
