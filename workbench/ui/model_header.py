"""The title of a page that uses a model: its name, price and capability badges, and whether it is ready."""

from __future__ import annotations

from html import escape

from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelState

_FEATURES = {
    "vision": "Image supported",
    "tools": "Tools",
    "json_schema": "JSON Schema",
    "logprobs": "Log-probabilities",
}
_STATES = {
    ModelState.READY: "Ready",
    ModelState.LOADING: "Loading",
    ModelState.UNLOADED: "Loads on the first message",
    ModelState.FAILED: "Failed to load",
}


def model_header_html(status: ModelStatus) -> str:
    """Name, price, badges and state."""
    card = status.card
    owner, _, name = card.id.rpartition("/")
    badges = "".join(f'<span class="wb-badge">{escape(text)}</span>' for text in badges_of(status))
    owner_html = f'<span class="wb-owner">{escape(owner)}</span>' if owner else ""
    return (
        f'<div class="wb-title" data-model="{escape(card.id)}">{owner_html}<h1>{escape(name)}</h1>'
        f'<span class="wb-price">{escape(price_of(status))}</span></div>'
        f'<div class="wb-badges">{state_html(status)}{badges}</div>'
    )


def price_of(status: ModelStatus) -> str:
    """`0.02 credits per million tokens`, or that there is none."""
    price = status.card.price_per_million_tokens
    return "no price set" if price is None else f"{price:.2f} credits per million tokens"


def badges_of(status: ModelStatus) -> list[str]:
    """What a reader wants to know before the first message."""
    card, info = status.card, status.info
    badges: list[str] = []
    context = info.context_length if info is not None else card.context_length
    if context is not None:
        badges.append(f"{context:,} tokens context")
    if card.quantization != "none":
        badges.append(card.quantization)
    elif info is not None and info.dtype not in ("", "none"):
        badges.append(info.dtype)
    if info is not None:
        badges += [label for feature, label in _FEATURES.items() if feature in info.features]
    return badges


def state_html(status: ModelStatus) -> str:
    """A dot and a word."""
    text = _STATES[status.state]
    if status.state is ModelState.LOADING:
        text = f"Loading {status.fraction:.0%}"
    return f'<span class="wb-state wb-state-{status.state.value}"><i></i>{escape(text)}</span>'


def ignored_by(status: ModelStatus) -> frozenset[str]:
    """The settings this model's endpoint is known to ignore."""
    return status.info.ignored_params if status.info is not None else frozenset()
