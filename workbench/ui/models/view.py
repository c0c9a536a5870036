"""The models there are and those there could be, as tables and notices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelState
from workbench.fitting import NATIVE, Machine, ModelList, Offer
from workbench.ui.model_header import badges_of, price_of, state_html
from workbench.ui.notice import Kind, loading_notice, notice_html

_GIB = 2**30
_GB = 1e9


def models_html(models: Sequence[ModelStatus], added: Collection[str]) -> str:
    """Every model with where it runs, its state, what it takes and what it costs."""
    rows = "".join(
        f'<tr><td><b translate="no">{escape(status.card.id)}</b><small>{escape(_about(status, added))}</small></td>'
        f"<td>{state_html(status)}</td><td>{escape(_memory(status))}</td><td>{escape(price_of(status))}</td></tr>"
        for status in models
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Model", "State", "Memory", "Price"))
    return f'<table class="wb-list"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _about(status: ModelStatus, added: Collection[str]) -> str:
    parts = [*badges_of(status), status.card.region]
    return " · ".join([*parts, "added on this page"] if status.card.id in added else parts)


def _memory(status: ModelStatus) -> str:
    size = None if status.info is None else status.info.memory_bytes
    return "" if size is None else f"{size / _GIB:.2f} GiB"


def progress_html(status: ModelStatus) -> str:
    """How far an added model is."""
    if status.state is ModelState.READY:
        return notice_html(Kind.INFO, f"{status.card.id} is ready", "Talk to it on the Serverless page, or call it by "
                           "its id.")  # fmt: skip
    return loading_notice(status)


def fitting_html(machine: Machine, listed: ModelList, offers: Sequence[Offer]) -> str:
    """What this machine could run: one line a model, its size in each precision, and the bound on its speed."""
    native = "float32" if machine.native_bytes == 4 else "16 bits"
    heads = ("Model", native, "int8", "nf4", "Tokens/s at most")
    lines = []
    for model in listed.models:
        own = [offer for offer in offers if offer.model is model]
        best = next((offer for offer in own if offer.fits), None)
        cells = "".join(
            f'<td data-label="{label}">{_size(offer)}</td>'
            for label, offer in zip(heads[1:-1], own, strict=True)
        )
        gate = " · gated" if model.is_gated else ""
        about = f"{model.parameters / 1e9:.2f} billion parameters · {model.context:,} tokens · {model.licence}{gate}"
        lines.append(
            f'<tr class="{"" if best else "wb-too-large"}"><td><b>{escape(model.id)}</b><small>{escape(about)}</small>'
            f'</td>{cells}<td data-label="{heads[-1]}">{escape(_speed(best))}</td></tr>'
        )
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return (
        f'<p class="wb-none">{escape(_machine(machine))}</p>'
        f'<div class="wb-scroll" tabindex="0" role="region" aria-label="What fits this machine">'
        f'<table class="wb-list wb-fitting"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
        f'<p class="wb-small">{escape(_footnote(listed))}</p>'
    )


def offer_choices(offers: Sequence[Offer]) -> list[tuple[str, str]]:
    """(label, `quantization id`) of what fits."""
    return [
        (f"{offer.model.id}{'' if offer.quantization == NATIVE else f' in {offer.quantization}'}",
         f"{offer.quantization} {offer.model.id}")
        for offer in offers if offer.fits
    ]  # fmt: skip


def _size(offer: Offer) -> str:
    size = f"{offer.weight_bytes / _GB:.1f} GB"
    return (
        f"{size}"
        if offer.fits
        else f'<span class="wb-no">{size}<span class="wb-sr"> (too large)</span></span>'
    )


def _speed(offer: Offer | None) -> str:
    if offer is None:
        return "too large"
    if offer.tokens_per_second is None:
        return "unknown"
    speed = offer.tokens_per_second
    return f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"


def _machine(machine: Machine) -> str:
    speed = "" if machine.bandwidth is None else f"; memory reads {machine.bandwidth / _GB:.0f} GB/s"
    return (
        f"Models can have {machine.room_bytes / _GIB:.1f} GiB of memory here{speed} ({machine.bandwidth_source}). "
        "A fifth more than the weights is reckoned for work space."
    )


def _footnote(listed: ModelList) -> str:
    return (
        "Sizes of weights alone; numbers struck through do not fit. Tokens/s: the bound for one answer at a time in "
        "the largest precision that fits. Real speed is lower; other work on the machine lowers what was measured. "
        f"The list was checked on {listed.checked_on.isoformat()} against {listed.source}; the hub itself is asked "
        "before a download."
    )
