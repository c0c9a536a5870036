"""The Compare page, put together."""

from __future__ import annotations

from workbench.core.caller import LOCAL_USER
from workbench.ui.compare_events import bind_compare
from workbench.ui.compare_page import build_compare_parts
from workbench.ui.context import PageContext


def build_compare_page(context: PageContext) -> None:
    """One message, several models, their answers side by side."""
    page = build_compare_parts(context.workbench.models(LOCAL_USER))
    bind_compare(page, context.workbench, context.caller_of)
