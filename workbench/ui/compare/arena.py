"""The arena, put together: the Compare page's blind side."""

from __future__ import annotations

from typing import Any

from workbench.core.caller import LOCAL_USER
from workbench.ui.compare.arena_events import bind_arena
from workbench.ui.compare.arena_parts import build_arena_parts
from workbench.ui.compare.break_it import bind_break_it
from workbench.ui.compare.parts import ComparePage
from workbench.ui.context import PageContext


def build_arena(compare: ComparePage, context: PageContext) -> None:
    """The arena beside the comparison, which a button of either changes for the other."""
    page = build_arena_parts(context.workbench.models(LOCAL_USER))
    bind_arena(page, context)
    bind_break_it(compare.break_it, compare.composer)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    compare.blind.click(None, None, None, js="() => wb.showArena(true)", **quiet)
