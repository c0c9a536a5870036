"""The Docs page: written when it is opened, so that no first visit waits for it."""

from __future__ import annotations

import gradio as gr

from workbench.ui.context import PageContext
from workbench.ui.docs.view import docs_html
from workbench.ui.identity import api_address
from workbench.ui.markup import SOON, markup, title_html

_HEADER = title_html(
    "Docs",
    "What is where, what the numbers mean, and how to call the API.",
)


def build_docs_page(context: PageContext) -> None:
    """Header and cards."""
    with gr.Column(elem_id="wb-docs", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        content = markup(SOON, elem_id="wb-docs-cards")

    def opened(request: gr.Request) -> str:
        return docs_html(api_address(request, context.workbench.settings))

    context.tab.select(opened, None, [content], show_progress="hidden", api_visibility="private")
