"""Our own markup as a component, without Gradio's typography for prose."""

from __future__ import annotations

import gradio as gr

SOON = '<p class="wb-none" role="status">One moment…</p>'
"""Stands where a page shows what it asks for when it is opened."""


def markup(html: str = "", *, elem_id: str | None = None) -> gr.HTML:
    """A piece of HTML that the page's style sheets alone dress. The caller has escaped what came from outside."""
    return gr.HTML(html, elem_id=elem_id, apply_default_css=False, padding=False)


def title_html(name: str, about: str) -> str:
    """A page's heading: its name, and in a sentence what it is for. Both are texts of ours."""
    return f'<div class="wb-title"><h1>{name}</h1><span class="wb-price">{about}</span></div>'


def carrier(value: str = "") -> gr.Textbox:
    """A text that is not shown: it goes between an event and a script.

    As many lines at most as at least: Gradio lays the whole page out anew for a box that may grow.
    """
    return gr.Textbox(value, visible="hidden", lines=2, max_lines=2)
