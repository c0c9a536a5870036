"""The team's own questions on the Evaluate page: upload or paste, say which column is what, see what is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from evaluators.data import EvaluationSet
from workbench.ui.markup import markup

MAPPED_PARTS = ("prompt", "messages", "expected", "choices", "id", "tags")
"""What a column may mean, in the order of the menus."""
_LABELS = {
    "prompt": "Prompt",
    "messages": "Messages",
    "expected": "Expected answer",
    "choices": "Choices",
    "id": "Id",
    "tags": "Tags",
}
NO_COLUMN = ""


@dataclass(slots=True)
class OwnData:
    """The samples in the page's state. Not frozen, so not hashable: Gradio hashes what it watches and can hash."""

    found: EvaluationSet


@dataclass(frozen=True, slots=True)
class DataCard:
    """The card's parts. `table` holds the rows as read, `own` the samples they come to; both go with the page."""

    file: gr.File
    pasted: gr.Textbox
    use: gr.Button
    clear: gr.Button
    menus: tuple[gr.Dropdown, ...]
    mapping: gr.Row
    preview: gr.HTML
    table: gr.State
    own: gr.State


def build_data_card() -> DataCard:
    """Upload and paste, the menus of columns, and what they come to."""
    table, own = gr.State(None), gr.State(None)
    with gr.Accordion(
        "Your own questions", open=False, elem_id="wb-evaluate-own", elem_classes="wb-quiet-accordion"
    ):
        file = gr.File(
            label="CSV, JSONL or Parquet with prompt and expected, or choices", type="filepath", height=140,
            file_types=[".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"], elem_id="wb-evaluate-file",
        )  # fmt: skip
        pasted = gr.Textbox(
            label="Or paste rows: CSV with a header, JSONL, or one prompt a line", lines=3, max_lines=8,
            elem_id="wb-evaluate-paste", elem_classes="wb-field",
        )  # fmt: skip
        with gr.Row(elem_classes="wb-form-row"):
            use = gr.Button(
                "Read the pasted rows", size="sm", elem_id="wb-evaluate-use-paste", elem_classes="wb-fit"
            )
            clear = gr.Button(
                "Ask none of my own", size="sm", elem_id="wb-evaluate-no-data", elem_classes="wb-fit"
            )
        with gr.Row(visible=False, elem_classes="wb-form-row") as mapping:
            menus = tuple(_menu(part) for part in MAPPED_PARTS)
        preview = markup(elem_id="wb-evaluate-preview")
    return DataCard(file, pasted, use, clear, menus, mapping, preview, table, own)


def _menu(part: str) -> gr.Dropdown:
    return gr.Dropdown(
        column_choices(()), value=NO_COLUMN, label=_LABELS[part], elem_id=f"wb-evaluate-column-{part}",
        elem_classes="wb-field",
    )  # fmt: skip


def column_choices(columns: Sequence[str]) -> list[tuple[str, str]]:
    """(label, value) of every column, after the choice of none."""
    return [("none", NO_COLUMN), *((column, column) for column in columns)]
