"""From a comparison to an experiment: its models become Evaluate's candidates, its prompts the team's own questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workbench.ui.compare.parts import ComparePage
from workbench.ui.context import PageContext
from workbench.ui.thread.session import CompareSession


def candidates_of(count: int, models: Sequence[str], systems: Sequence[str | None]) -> list[Any]:
    """[models, system prompt] of the first `count` columns, each model once; "" where their prompts differ."""
    prompts = {(system or "").strip() for system in systems[:count]}
    return [list(dict.fromkeys(models[:count])), prompts.pop() if len(prompts) == 1 else ""]


def questions_of(session: CompareSession) -> str:
    """Every prompt that was sent to the first column, once, as JSONL; "" for none."""
    prompts = dict.fromkeys(turn.user for turn in session.panes[0].turns if turn.call_id is None)
    return "".join(json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n" for prompt in prompts)


def bind_hand_over(page: ComparePage, context: PageContext) -> None:
    """Connects the button, which opens Evaluate with the candidates filled in."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def hand_over(session: CompareSession, count: str, *values: Any) -> list[Any]:
        columns = len(page.panes)
        return [*candidates_of(int(count), values[:columns], values[columns:]), questions_of(session)]

    source = [
        page.session,
        page.count,
        *(pane.model for pane in page.panes),
        *(pane.params.system for pane in page.panes),
    ]
    handed = page.evaluate.click(hand_over, source, [context.candidates], **quiet)
    handed.then(None, None, None, js="() => wb.openPage('evaluate')", **quiet)
