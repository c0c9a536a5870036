"""From a comparison to an experiment: the models that were compared become Evaluate's candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.ui.compare_page import ComparePage
from workbench.ui.context import PageContext


def candidates_of(count: int, models: Sequence[str], systems: Sequence[str | None]) -> list[Any]:
    """[models, system prompt] of the first `count` columns, each model once; "" where their prompts differ."""
    prompts = {(system or "").strip() for system in systems[:count]}
    return [list(dict.fromkeys(models[:count])), prompts.pop() if len(prompts) == 1 else ""]


def bind_hand_over(page: ComparePage, context: PageContext) -> None:
    """Connects the button, which opens Evaluate with the candidates filled in."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def hand_over(count: str, *values: Any) -> list[Any]:
        columns = len(page.panes)
        return candidates_of(int(count), values[:columns], values[columns:])

    source = [page.count, *(pane.model for pane in page.panes), *(pane.params.system for pane in page.panes)]
    handed = page.evaluate.click(hand_over, source, [context.candidates], **quiet)
    handed.then(None, None, None, js="() => wb.openPage('evaluate')", **quiet)
