"""Many components as one input of an event.

Gradio's script (6.31) tells every input of an event that it is valid, and once the event has ended the progress of all
others, at each of their messages; it looks for each through the whole page. Before an answer's first word fifty inputs
took longer than all else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from workbench.ui.markup import carrier


def values_box(parts: Sequence[gr.components.Component]) -> gr.Textbox:
    """A hidden box that always holds the values of `parts`: an event is given it in their place, and gets their list.

    Every value is read as its own component reads it, but a drop-down's comes as it is: its choices are the
    session's, and whoever uses the value looks it up.
    """
    box = carrier(json.dumps([part.value for part in parts]))
    gr.on(
        [part.change for part in parts], None, list(parts), [box], js="(...values) => JSON.stringify(values)",
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip

    def read(text: str) -> list[Any]:
        return [
            value if isinstance(part, gr.Dropdown) else part.preprocess(value)
            for part, value in zip(parts, json.loads(text), strict=True)
        ]

    # Set on the instance, because Gradio writes a stub file beside every module that derives a component.
    box.preprocess = read
    return box
