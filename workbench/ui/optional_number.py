"""A box for a number that may be left empty.

Gradio's own number box turns an empty value into 0 as soon as it is drawn (6.31), and 0 is a limit, a threshold or a
price of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import gradio as gr


def optional_number(
    value: float | None,
    *,
    label: str,
    low: float = 0,
    high: float = math.inf,
    is_whole: bool = False,
    info: str | None = None,
    placeholder: str | None = None,
    elem_id: str | None = None,
    elem_classes: str | Sequence[str] = "wb-field",
) -> gr.Textbox:
    """The box; its events get a float, an int when `is_whole`, or None for nothing typed.

    Anything else is refused in the browser by a notice that names the box.
    """
    box = gr.Textbox(
        _written(value), label=label, info=info, placeholder=placeholder, lines=1, max_lines=1, max_length=20,
        elem_id=elem_id, elem_classes=elem_classes,
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
    )  # fmt: skip

    def read(payload: str | None) -> float | None:
        return number_of(payload, label=label, low=low, high=high, is_whole=is_whole)

    # Set on the instance, because Gradio writes a stub file beside every module that derives a component.
    box.preprocess, box.postprocess = read, _written
    return box


def number_of(text: str | None, *, label: str, low: float, high: float, is_whole: bool) -> float | None:
    """The number that was typed, None for nothing. Raises: gr.Error, whose words the browser shows."""
    typed = (text or "").strip().replace(",", "")
    if not typed:
        return None
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    is_kind = math.isfinite(number) and (not is_whole or number == int(number))
    if not (is_kind and low <= number <= high):
        kind = "a whole number" if is_whole else "a number"
        bounds = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise gr.Error(f"{label}: it must be {kind} {bounds}, or empty.")
    return int(number) if is_whole else number


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
