"""The middle of the Serverless page: the thread, the composer under it and their buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import gradio as gr

from workbench.ui.markup import carrier, markup

EXAMPLES = (
    ("Explain", "Explain in three sentences why the sky is blue."),
    ("Write code", "Write a Python function that returns the n-th Fibonacci number, with a docstring."),
    ("Compare", "Compare a list and a tuple in Python, in a small table."),
    ("Rewrite", "Rewrite politely: send me the report today or we lose the client."),
)

_EMPTY = (
    '<div class="wb-empty"><h2>What do you want to find out?</h2>'
    "<p>Send a message, or begin with an example. The conversation stays in this tab: a refresh forgets it.</p></div>"
)
_HINT = (
    '<span class="wb-hint"><kbd>Enter</kbd> sends<kbd>Shift</kbd><kbd>Enter</kbd> new line'
    "<kbd>Esc</kbd> stops<kbd>/</kbd> focuses</span>"
)
_EXPORT = (
    '<details class="wb-menu"><summary class="wb-tool">Export</summary><div class="wb-menu-list">'
    '<button type="button" data-wb-export="md">Markdown</button>'
    '<button type="button" data-wb-export="json">JSON</button>'
    '<button type="button" data-wb-export="jsonl">JSONL, a row for each answer</button></div></details>'
)
LATEX = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]


@dataclass(frozen=True, slots=True)
class ChatArea:
    """The area's parts.

    `again` answers the last message anew, `proceed` goes on where an answer was cut, `override` sends what the guard
    blocked. `export` and `copy` are hidden: the script presses them for the menu and for the buttons in the thread.
    Unseen as well: `exported` carries a file's text out and `loaded` one in, `sent` carries out the call that was made.
    """

    thread: gr.Chatbot
    notice: gr.HTML
    composer: gr.Textbox
    send: gr.Button
    stop: gr.Button
    reset: gr.Button
    again: gr.Button
    proceed: gr.Button
    override: gr.Button
    export: gr.Button
    copy: gr.Button
    load: gr.Button
    exported: gr.Textbox
    loaded: gr.Textbox
    sent: gr.Textbox
    context: gr.HTML


def build_chat_area() -> ChatArea:
    """Thread, notices, composer, tools."""
    with gr.Column(elem_id="wb-chat", elem_classes="wb-only-ui"):
        thread = gr.Chatbot(
            elem_id="wb-thread", elem_classes="wb-thread", label="Conversation", show_label=False,
            container=False, layout="bubble", buttons=[], placeholder=_EMPTY, editable="user", height="100%",
            allow_tags=False,
            examples=[{"text": text, "display_text": f"{title}\n{text}"} for title, text in EXAMPLES],
            latex_delimiters=LATEX,
        )  # fmt: skip
        with gr.Column(elem_id="wb-composer-area", elem_classes="wb-composer-area"):
            notice = markup(elem_id="wb-notice")
            with gr.Row(elem_id="wb-composer", elem_classes="wb-composer"):
                composer = gr.Textbox(
                    label="Message", show_label=False, placeholder="Ask something", lines=1, max_lines=8,
                    container=False, autofocus=True, elem_id="wb-message", elem_classes="wb-message",
                    scale=1,
                )  # fmt: skip
                send = icon_button("Send", "wb-send", variant="primary")
                stop = icon_button("Stop", "wb-stop", visible="hidden")
            with gr.Row(elem_id="wb-composer-tools"):
                reset = gr.Button("New chat", size="sm", elem_id="wb-reset", elem_classes="wb-tool", scale=0)
                again = gr.Button(
                    "Regenerate", size="sm", elem_id="wb-again", elem_classes="wb-tool", scale=0
                )
                proceed = gr.Button(
                    "Continue",
                    size="sm",
                    elem_id="wb-continue",
                    elem_classes="wb-tool",
                    scale=0,
                    visible=False,
                )
                override = gr.Button(
                    "Send without blocking",
                    size="sm",
                    elem_id="wb-override",
                    elem_classes="wb-tool",
                    scale=0,
                    visible=False,
                )
                markup(_EXPORT, elem_id="wb-export")
                load = gr.Button("Import", size="sm", elem_id="wb-import", elem_classes="wb-tool", scale=0)
                context = markup(elem_id="wb-context")
                markup(_HINT, elem_id="wb-hint")
        export = gr.Button("Export", elem_id="wb-export-run", visible="hidden")
        copy = gr.Button("Copy", elem_id="wb-copy-run", visible="hidden")
        exported, loaded, sent = (carrier() for _ in range(3))
    return ChatArea(
        thread, notice, composer, send, stop, reset, again, proceed, override, export, copy, load, exported, loaded,
        sent, context,
    )  # fmt: skip


def icon_button(
    label: str,
    element: str,
    looks: str = "",
    *,
    variant: str = "secondary",
    visible: bool | Literal["hidden"] = True,
) -> gr.Button:
    """A square button whose icon comes from the style sheet (class `looks`); screen readers say its label."""
    classes = ["wb-square", looks or element]
    return gr.Button(
        label,
        variant=variant,
        visible=visible,
        elem_id=element,
        elem_classes=classes,
        min_width=36,
        scale=0,
    )
