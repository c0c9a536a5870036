"""A comparison as text for a file that the browser makes: every column's model, system prompt, answers and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.session import ChatSession, Turn

_NUMBERS = [field.name for field in fields(AnswerMetrics) if field.name != "remark"]


def write_comparison(columns: Sequence[tuple[str, ChatSession]]) -> str:
    """JSON of the columns (system prompt, conversation) that have turns; js/conversation.js makes Markdown of it."""
    said = [_column(system, session.turns) for system, session in columns if session.turns]
    return json.dumps({"columns": said}, ensure_ascii=False, default=dict)


def _column(system: str, turns: Sequence[Turn]) -> dict[str, Any]:
    return {"model": turns[-1].model, "system": system, "turns": [_turn(turn) for turn in turns]}


def _turn(turn: Turn) -> dict[str, Any]:
    told: dict[str, Any] = {"model": turn.model, "prompt": turn.user, "answer": turn.answer}
    if turn.reasoning:
        told["reasoning"] = turn.reasoning
    if turn.metrics is not None:
        told["numbers"] = {name: getattr(turn.metrics, name) for name in _NUMBERS}
    return told
