"""Inline notices: what happened, and what to do next. Every state that is not an answer is one of these."""

from __future__ import annotations

from enum import StrEnum
from html import escape

from workbench.admission import QueuePosition
from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelState
from workbench.core.errors import Stopping, WorkbenchError
from workbench.ui.assets import icon


class Kind(StrEnum):
    """How loud a notice is."""

    INFO = "info"
    BUSY = "busy"
    WARNING = "warning"
    ERROR = "error"


_ICONS = {Kind.INFO: "info", Kind.BUSY: "clock", Kind.WARNING: "alert", Kind.ERROR: "alert"}


def notice_html(
    kind: Kind, title: str, text: str = "", *, next_step: str = "", progress: float | None = None
) -> str:
    """One notice; `next_step` follows the text, `progress` 0 to 1 adds a bar.

    Errors are announced at once, the rest politely.
    """
    role = "alert" if kind is Kind.ERROR else "status"
    bar = ""
    if progress is not None:
        percent = round(100 * min(max(progress, 0.0), 1.0))
        bar = (
            f'<div class="wb-progress" role="progressbar" aria-label="{escape(title)}" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        )
    step = f" <span>{escape(next_step)}</span>" if next_step else ""
    body = f"<p>{escape(text)}{step}</p>" if text or step else ""
    return (
        f'<div class="wb-notice wb-{kind.value}" role="{role}">{icon(_ICONS[kind])}'
        f"<div><strong>{escape(title)}</strong>{body}{bar}</div></div>"
    )


# Error code -> title and next step. The error's own message stands between them.
_NEXT_STEPS = {
    "rate_limit_exceeded": ("All places are taken", "Send it again in a moment; nothing was lost."),
    "insufficient_quota": ("This allowance is used up", "Ask the owner of this server to renew it."),
    "context_length_exceeded": (
        "The conversation is longer than the model's context",
        "Lower Max tokens, or start a new conversation.",
    ),
    "model_loading": ("The model is still loading", "Send it again shortly; the load goes on."),
    "model_unavailable": ("The model could not be loaded", "Choose another model, or see the server's log."),
    "engine_restarting": ("The engine is starting again", "Send it again in a few seconds."),
    "overloaded": ("No room for this at the moment", "Try again later, or choose a model that is loaded."),
    "unsupported_parameter": (
        "This model does not honour a setting",
        "Reset the setting, or change the model.",
    ),
    "model_not_allowed": ("This account may not use the model", "Choose another model."),
    "model_not_found": ("There is no such model here", "Choose a model from the list."),
    "guard_unavailable": (
        "The guard cannot judge at the moment",
        "Nothing is shown unjudged. Send it again shortly, or ask the operator.",
    ),
    "unreadable_conversation": (
        "This file is not a conversation",
        "Choose a .json file that was exported here.",
    ),
    "content_filter": (
        "The guard blocked this message",
        "Rephrase it; the message was not sent to the model.",
    ),
}


def error_notice(error: WorkbenchError) -> str:
    """A failed request as a notice with its next step. The quiet kinds, busy and loading, are no errors."""
    title, step = _NEXT_STEPS.get(
        error.code or "", ("That did not work", "Send it again, or change the settings.")
    )
    if isinstance(error, Stopping):
        title, step = "The answer was cut off", ""
    kind = Kind.ERROR
    if error.status in (429, 503) and error.code not in ("model_unavailable", "insufficient_quota"):
        kind = Kind.BUSY
    elif error.status < 500:
        kind = Kind.WARNING
    return notice_html(kind, title, _sentence(error.message), next_step=step)


def _sentence(text: str) -> str:
    """The text with a full stop, where it has no end of its own: another sentence follows it."""
    return text if not text or text[-1] in ".!?:" else f"{text}."


def loading_notice(status: ModelStatus) -> str:
    """What a model that is not ready is doing; "" for one that is, or that nobody asked for yet."""
    name = status.card.id
    if status.state is ModelState.LOADING:
        return notice_html(Kind.BUSY, f"Loading the model … {status.fraction:.0%}",
                           f"{name}: {status.stage}.", progress=status.fraction)  # fmt: skip
    if status.state is ModelState.FAILED:
        reason = status.error or "The reason is in the server's log."
        return notice_html(Kind.ERROR, f"{name} could not be loaded",
                           f"{reason} The next message tries again; or choose another model.")  # fmt: skip
    return ""


def queue_notice(position: QueuePosition) -> str:
    """Where a waiting message stands."""
    place = "You are next" if position.position <= 1 else f"You are number {position.position}"
    text = f"{place}; about {position.wait_seconds} s. It is sent as soon as there is room."
    return notice_html(Kind.BUSY, "Waiting for a place", text)
