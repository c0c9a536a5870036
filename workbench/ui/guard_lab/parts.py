"""The parts of the Guard lab: texts with labels, two guards, and what each of them makes of the texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import gradio as gr

from workbench.ui.guard_lab.results import LabResult
from workbench.ui.markup import markup, title_html

SECONDS_KEPT = 3600
"""How long the results of a closed tab stay in memory."""
COLUMNS = 2
NO_GUARD = "None"
SAFE, UNSAFE = "Harmless", "Harmful"

_HEADER = title_html(
    "Guard lab",
    "What a guard would do with your own texts, above all with the harmless ones.",
)
_LIMITS = (
    '<p class="wb-lab-note">The embedded guard is a screening model, not Llama Guard: English only, one text at a '
    "time, without knowledge of facts. A file has one JSON object a line: prompt, optional response, label (safe or "
    "unsafe), optional categories.</p>"
)


_NOTHING_YET = (
    '<p class="wb-none">What it makes of your texts comes here: what it flags, rightly and wrongly.</p>'
)
_SECOND = '<p class="wb-none">Choose a second one to compare them on the same texts.</p>'


@dataclass(slots=True)
class LabSession:
    """One tab's results, a guard a column. It holds the texts, in memory alone, and is gone with the tab."""

    results: list[LabResult] = field(default_factory=list)
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class LabColumn:
    """One guard's parts."""

    guard: gr.Dropdown
    threshold: gr.Slider
    result: gr.HTML


@dataclass(frozen=True, slots=True)
class LabPage:
    """The page's parts."""

    session: gr.State
    texts: gr.Textbox
    label: gr.Radio
    file: gr.File
    run: gr.Button
    stop: gr.Button
    notice: gr.HTML
    shows_texts: gr.Checkbox
    measure: gr.Button
    cost: gr.HTML
    columns: tuple[LabColumn, ...]
    export: gr.HTML


def build_lab_parts(guards: Sequence[str]) -> LabPage:
    """Header, the texts, and a column for each of two guards."""
    session = gr.State(LabSession(), time_to_live=SECONDS_KEPT)
    with gr.Column(elem_id="wb-lab", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER, elem_id="wb-lab-title")
        with gr.Column(elem_classes="wb-page-body"):
            with gr.Column(elem_classes="wb-card"):
                markup(f"<h2>Your texts</h2>{_LIMITS}")
                with gr.Row(elem_classes="wb-lab-texts"):
                    with gr.Column():
                        texts = gr.Textbox(
                            label="Texts, one a line", lines=5, max_lines=12, elem_id="wb-lab-pasted",
                            elem_classes="wb-field", placeholder="Paste what people really ask",
                        )  # fmt: skip
                        label = gr.Radio(
                            [SAFE, UNSAFE], value=SAFE, label="These texts are", elem_id="wb-lab-label",
                            elem_classes="wb-segmented",
                        )  # fmt: skip
                    file = gr.File(
                        label="Or a labelled file, .jsonl", file_types=[".jsonl"], elem_id="wb-lab-file",
                        elem_classes="wb-field",
                    )  # fmt: skip
                with gr.Row(elem_classes="wb-lab-actions"):
                    run = gr.Button("Judge", variant="primary", size="sm", elem_id="wb-lab-run")
                    stop = gr.Button(
                        "Stop", size="sm", elem_id="wb-lab-stop", elem_classes=["wb-quiet", "wb-stop"]
                    )
                    measure = gr.Button(
                        "Measure the cost", size="sm", elem_id="wb-lab-measure", elem_classes="wb-quiet"
                    )
                    shows_texts = gr.Checkbox(False, label="Show flagged texts", elem_id="wb-lab-show")
                notice = markup(elem_id="wb-lab-notice")
            with gr.Row(elem_classes="wb-lab-columns"):
                columns = tuple(_build_column(place, guards) for place in range(COLUMNS))
            export = markup(elem_id="wb-lab-export")
            cost = markup(elem_id="wb-lab-cost")
    return LabPage(
        session, texts, label, file, run, stop, notice, shows_texts, measure, cost, columns, export
    )


def _build_column(place: int, guards: Sequence[str]) -> LabColumn:
    letter = "AB"[place]
    choices = list(guards) if place == 0 else [NO_GUARD, *guards]
    with gr.Column(elem_classes=["wb-lab-column", "wb-card"]):
        guard = gr.Dropdown(
            choices, value=choices[0], label=f"Guard {letter}", elem_id=f"wb-lab-guard-{place}",
            elem_classes="wb-field",
        )  # fmt: skip
        threshold = gr.Slider(
            0, 1, value=0.5, step=0.01, label=f"Threshold {letter}", elem_id=f"wb-lab-threshold-{place}",
            elem_classes="wb-field", visible=False,
        )  # fmt: skip
        result = markup(_NOTHING_YET if place == 0 else _SECOND, elem_id=f"wb-lab-result-{place}")
    return LabColumn(guard, threshold, result)
