"""The parts of the Compare page: two to four models side by side under one composer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from workbench.backends.pool import ModelStatus
from workbench.ui.compare.break_it import BreakItParts, build_break_it
from workbench.ui.compare.comparison import HERE, Mode
from workbench.ui.markup import carrier, markup, title_html
from workbench.ui.params.panel import ParamsPanel, build_params_panel
from workbench.ui.serverless.chat_area import LATEX, icon_button
from workbench.ui.thread.session import PANES, SECONDS_KEPT, CompareSession

LETTERS = "ABCD"
PANES_AT_FIRST = 2

_HEADER = title_html(
    "Compare",
    "One message, several models. Every number says what ran beside it.",
)
_EMPTY = '<p class="wb-pane-empty">Model {letter} answers here.</p>'


@dataclass(frozen=True, slots=True)
class ComparePane:
    """One column's parts."""

    model: gr.Dropdown
    settings: gr.Accordion
    params: ParamsPanel
    thread: gr.Chatbot
    notice: gr.HTML


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The page's parts.

    `spread` gives every column the first one's settings; `evaluate` opens an experiment of these models, `blind` the
    arena. Unseen: the script presses `export`, `exported` carries a file's text out and `sent` the calls made.
    """

    session: gr.State
    mode: gr.Radio
    count: gr.Radio
    panes: tuple[ComparePane, ...]
    spread: gr.Button
    notice: gr.HTML
    composer: gr.Textbox
    send: gr.Button
    stop: gr.Button
    reset: gr.Button
    evaluate: gr.Button
    blind: gr.Button
    break_it: BreakItParts
    differences: gr.HTML
    export: gr.Button
    exported: gr.Textbox
    sent: gr.Textbox


def build_compare_parts(models: Sequence[ModelStatus]) -> ComparePage:
    """Header with the run mode, the columns, the differences, and the composer."""
    session = gr.State(CompareSession(), time_to_live=SECONDS_KEPT)
    with gr.Column(elem_id="wb-compare", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER, elem_id="wb-compare-title")
            mode = gr.Radio(
                [("One at a time", Mode.ISOLATED), ("All at once", Mode.CONTENDED)], value=Mode.ISOLATED,
                label="Run", show_label=False, container=False, elem_id="wb-compare-mode",
                elem_classes="wb-segmented",
            )  # fmt: skip
            count = gr.Radio(
                [str(number) for number in range(2, PANES + 1)], value=str(PANES_AT_FIRST), label="Models",
                show_label=False, container=False, elem_id="wb-compare-count", elem_classes="wb-segmented",
            )  # fmt: skip
            blind = gr.Button("Vote blind", size="sm", elem_id="wb-compare-blind", scale=0)
            evaluate = gr.Button("Evaluate these", size="sm", elem_id="wb-compare-evaluate", scale=0)
        with gr.Row(elem_id="wb-panes"):
            panes = tuple(_build_pane(place, models) for place in range(PANES))
        with panes[0].settings:
            spread = gr.Button(
                "Use these in every column", size="sm", elem_id="wb-compare-spread", elem_classes="wb-quiet"
            )
        differences = markup(elem_id="wb-compare-differences")
        with gr.Column(elem_id="wb-compare-composer-area", elem_classes="wb-composer-area"):
            notice = markup(elem_id="wb-compare-notice")
            break_it = build_break_it()
            with gr.Row(elem_id="wb-compare-composer", elem_classes="wb-composer"):
                composer = gr.Textbox(
                    label="Message to all", show_label=False, placeholder="Ask all of them", lines=1, max_lines=8,
                    container=False, elem_id="wb-compare-message", elem_classes="wb-message", scale=1,
                )  # fmt: skip
                reset = gr.Button("New comparison", size="sm", elem_classes="wb-tool wb-new", scale=0,
                                  elem_id="wb-compare-reset")  # fmt: skip
                send = icon_button("Send to all", "wb-compare-send", "wb-send", variant="primary")
                stop = icon_button("Stop all", "wb-compare-stop", "wb-stop", visible="hidden")
        export = gr.Button("Export", elem_id="wb-compare-export-run", visible="hidden")
        exported, sent = carrier(), carrier()
    return ComparePage(
        session,
        mode,
        count,
        panes,
        spread,
        notice,
        composer,
        send,
        stop,
        reset,
        evaluate,
        blind,
        break_it,
        differences,
        export,
        exported,
        sent,
    )


def pane_title(status: ModelStatus) -> str:
    """A model's name, with where it runs when that is elsewhere."""
    name = status.card.id.rpartition("/")[2]
    return name if status.card.region == HERE else f"{name} · {status.card.region}"


def _build_pane(place: int, models: Sequence[ModelStatus]) -> ComparePane:
    chosen = models[min(place, len(models) - 1)]
    letter = LETTERS[place]
    with gr.Column(elem_classes=f"wb-pane wb-pane-{place}", min_width=0):
        with gr.Row(elem_classes="wb-pane-head"):
            markup(f'<span class="wb-letter">{letter}</span>')
            model = gr.Dropdown(
                [(pane_title(status), status.card.id) for status in models], value=chosen.card.id,
                label=f"Model {letter}", show_label=False, container=False, elem_id=f"pane-{place}-model",
                elem_classes="wb-pane-model", scale=1,
            )  # fmt: skip
        with gr.Accordion(f"Settings of {letter}", open=False, elem_classes="wb-pane-settings") as settings:
            params = build_params_panel(f"pane-{place}", chosen.card)
        thread = gr.Chatbot(
            label=f"Answers of {letter}", show_label=False, container=False, layout="bubble", buttons=[],
            placeholder=_EMPTY.format(letter=letter), height="100%", allow_tags=False, latex_delimiters=LATEX,
            elem_classes="wb-thread", elem_id=f"pane-{place}-thread",
        )  # fmt: skip
        notice = markup()
    return ComparePane(model, settings, params, thread, notice)
