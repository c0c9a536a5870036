"""How much of the model's context the conversation fills."""

from __future__ import annotations

from html import escape

from workbench.core.backend import ModelState
from workbench.core.caller import Caller
from workbench.core.chat import ChatPrompt
from workbench.core.errors import WorkbenchError
from workbench.service import Workbench
from workbench.ui.thread.session import ChatSession

_NEARLY_FULL = 0.8


def used_tokens(session: ChatSession) -> int | None:
    """The last answer's own count, the answer included: it is part of the next prompt. None before the first answer."""
    metrics = next((turn.metrics for turn in reversed(session.turns) if turn.metrics is not None), None)
    return None if metrics is None else metrics.prompt_tokens + metrics.completion_tokens


async def counted_meter_html(
    workbench: Workbench, session: ChatSession, system: str, model: str, caller: Caller
) -> str:
    """The meter of a conversation that this model did not answer, such as an imported one.

    "" where the model is not loaded, or cannot count: nothing is loaded for a number.
    """
    try:
        status = workbench.model(model, caller)
        if status.state is not ModelState.READY or status.info is None:
            return ""
        prompt = ChatPrompt(session.messages(system), add_generation_prompt=False)
        used = len(await workbench.tokenize(model, prompt, caller))
    except WorkbenchError:
        return ""
    return context_meter_html(used, status.info.context_length)


def context_meter_html(used: int | None, context_length: int | None) -> str:
    """A bar and the numbers; "" while either of them is not known."""
    if used is None or context_length is None:
        return ""
    share = min(used / context_length, 1.0)
    marked = " wb-marked" if share >= _NEARLY_FULL else ""
    text = f"{used:,} of {context_length:,} tokens"
    return (
        f'<div class="wb-context{marked}" title="{escape("How much of the context the conversation fills")}">'
        f'<span class="wb-context-bar" role="meter" aria-label="Context used" aria-valuemin="0" '
        f'aria-valuemax="{context_length}" aria-valuenow="{min(used, context_length)}">'
        f'<i style="width:{share:.1%}"></i></span>{text}</div>'
    )
