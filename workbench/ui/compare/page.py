"""The Compare page, put together."""

from __future__ import annotations

from workbench.core.caller import LOCAL_USER
from workbench.ui.compare.arena import build_arena
from workbench.ui.compare.events import bind_compare
from workbench.ui.compare.hand_over import bind_hand_over
from workbench.ui.compare.parts import build_compare_parts, pane_title
from workbench.ui.context import PageContext
from workbench.ui.model_menus import all_of


def build_compare_page(context: PageContext) -> None:
    """One message, several models, their answers side by side."""
    page = build_compare_parts(context.workbench.models(LOCAL_USER))
    for pane in page.panes:
        context.menus.add(pane.model, all_of(pane_title))
    bind_compare(page, context.workbench, context.caller_of)
    bind_hand_over(page, context)
    build_arena(page, context)
