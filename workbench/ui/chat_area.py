"""The middle of the Serverless page: the thread, the composer under it and their buttons."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from workbench.ui.markup import markup

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
_LATEX = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]


@dataclass(frozen=True, slots=True)
class ChatArea:
    """The area's parts. `proceed` goes on where an answer was cut."""

    thread: gr.Chatbot
    notice: gr.HTML
    composer: gr.Textbox
    send: gr.Button
    stop: gr.Button
    reset: gr.Button
    proceed: gr.Button
    export: gr.Button


def build_chat_area() -> ChatArea:
    """Thread, notices, composer, tools."""
    with gr.Column(elem_id="wb-chat", elem_classes="wb-only-ui"):
        thread = gr.Chatbot(
            elem_id="wb-thread", label="Conversation", show_label=False, container=False, layout="bubble",
            buttons=[], placeholder=_EMPTY, editable="user", height="100%", allow_tags=False,
            examples=[{"text": text, "display_text": f"{title}\n{text}"} for title, text in EXAMPLES],
            latex_delimiters=_LATEX,
        )  # fmt: skip
        with gr.Column(elem_id="wb-composer-area"):
            notice = markup(elem_id="wb-notice")
            with gr.Row(elem_id="wb-composer"):
                composer = gr.Textbox(
                    label="Message", show_label=False, placeholder="Ask something", lines=1, max_lines=8,
                    container=False, autofocus=True, elem_id="wb-message", scale=1,
                )  # fmt: skip
                send = _icon_button("Send", "wb-send", variant="primary")
                stop = _icon_button("Stop", "wb-stop", visible=False)
            with gr.Row(elem_id="wb-composer-tools"):
                reset = gr.Button("New chat", size="sm", elem_id="wb-reset", elem_classes="wb-tool", scale=0)
                proceed = gr.Button(
                    "Continue",
                    size="sm",
                    elem_id="wb-continue",
                    elem_classes="wb-tool",
                    scale=0,
                    visible=False,
                )
                export = gr.Button("Export", size="sm", elem_id="wb-export", elem_classes="wb-tool", scale=0)
                markup(_HINT, elem_id="wb-hint")
    return ChatArea(thread, notice, composer, send, stop, reset, proceed, export)


def _icon_button(label: str, element: str, *, variant: str = "secondary", visible: bool = True) -> gr.Button:
    """A square button whose icon comes from the style sheet and whose label only screen readers see."""
    return gr.Button(
        label,
        variant=variant,
        visible=visible,
        elem_id=element,
        elem_classes="wb-square",
        min_width=36,
        scale=0,
    )
