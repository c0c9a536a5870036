"""How much of the model's context the conversation fills."""

from __future__ import annotations

from html import escape

from workbench.ui.thread.session import ChatSession

_NEARLY_FULL = 0.8


def context_meter_html(session: ChatSession, context_length: int | None) -> str:
    """A bar and the numbers, from the last answer's own count; "" before the first answer.

    The count includes the answer: it is part of the next prompt.
    """
    metrics = next((turn.metrics for turn in reversed(session.turns) if turn.metrics is not None), None)
    if metrics is None or context_length is None:
        return ""
    used = metrics.prompt_tokens + metrics.completion_tokens
    share = min(used / context_length, 1.0)
    marked = " wb-marked" if share >= _NEARLY_FULL else ""
    text = f"{used:,} of {context_length:,} tokens"
    return (
        f'<div class="wb-context{marked}" title="{escape("How much of the context the conversation fills")}">'
        f'<span class="wb-context-bar" role="meter" aria-label="Context used" aria-valuemin="0" '
        f'aria-valuemax="{context_length}" aria-valuenow="{min(used, context_length)}">'
        f'<i style="width:{share:.1%}"></i></span>{text}</div>'
    )
