"""The form of a request for a model: each part of a good request is a field of its own, with help and an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from workbench.store import Priority, RequestForm
from workbench.store.attachments import MOST_PER_REQUEST
from workbench.ui.markup import markup
from workbench.ui.uploads import KINDS

CATEGORIES = (
    "A model that is not here",
    "Another precision or revision of a model",
    "A fine-tune of our own",
    "More concurrency, or a dedicated endpoint",
    "Something else",
)
PRIORITIES = [("Low", Priority.LOW), ("Normal", Priority.NORMAL), ("High", Priority.HIGH)]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of several lines: its name in `RequestForm`, label, help and example."""

    name: str
    label: str
    help: str
    example: str


_STORY = (
    _Field("description", "What you need, in a few sentences *", "Everybody on this server can read this one.",
           "A model that summarises German support tickets without inventing facts."),
)  # fmt: skip
_MORE = (
    _Field("use_case", "Use case", "What it will do, for whom, with which input and output.",
           "Agents read a summary of at most 80 words before they open a ticket; 3,000 tickets a day."),
    _Field("requirements", "Requirements and constraints", "Licence, languages, context length, size, privacy.",
           "Apache-2.0 or MIT, German and English, 16k context, runs on one 24 GB card."),
    _Field("evaluation_criteria", "How you will judge it", "The numbers that decide, and on which data.",
           "At least 90 % faithful on our 200 labelled tickets; first token within 1.5 s."),
    _Field("current_limitations", "What the models here lack", "What you tried and where it failed.",
           "The 135M model leaves out order numbers in one ticket of three."),
    _Field("expected_concurrency", "Requests you expect", "In a minute, at the same time, and at peaks.",
           "10 requests a minute with peaks of 50."),
    _Field("future_plans", "What comes after the trial", "When it would need an endpoint of its own.",
           "A dedicated endpoint above 500 requests a minute, from March."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The form's parts. `inputs` are in the order that `read_request` takes."""

    hub_id: gr.Textbox
    email: gr.Textbox
    category: gr.Dropdown
    priority: gr.Radio
    texts: tuple[gr.Textbox, ...]
    files: gr.File
    hint: gr.HTML
    twins: gr.HTML
    twin: gr.Dropdown
    support: gr.Button
    twin_row: gr.Row
    send: gr.Button
    notice: gr.HTML

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What makes up a request, without its files."""
        return [self.hub_id, self.email, self.category, self.priority, *self.texts]


_TEXTS = (*_STORY, *_MORE)


def build_request_form() -> RequestFields:
    """The fields from the most to the least often known; what is like it is shown as soon as it is noticed."""
    with gr.Row(elem_classes="wb-form-row wb-form-top"):
        hub_id = gr.Textbox(
            label="Model on the hub, if you know which", placeholder="Qwen/Qwen3-8B", max_length=255,
            info="Its id or the address of its page. Leave it empty and describe what you need.",
            elem_id="request-hub", elem_classes="wb-field",
        )  # fmt: skip
        email = gr.Textbox(
            label="Your e-mail *", placeholder="ada@example.org", max_length=254, elem_id="request-email",
            info="Only admins see it, to answer you.", elem_classes="wb-field",
        )  # fmt: skip
    hint = markup(elem_id="request-hint")
    with gr.Row(elem_classes="wb-form-row wb-form-top"):
        category = gr.Dropdown(
            list(CATEGORIES), value=CATEGORIES[0], label="Category *", info="What kind of request this is.",
            elem_id="request-category", elem_classes="wb-field",
        )  # fmt: skip
        priority = gr.Radio(
            PRIORITIES, value=Priority.NORMAL, label="Priority", info="How much it matters to you.",
            elem_id="request-priority", elem_classes=["wb-segmented", "wb-field"],
        )  # fmt: skip
    story = tuple(_text(field, lines=2) for field in _STORY)
    twins = markup(elem_id="request-twins")
    with gr.Row(visible=False, elem_classes="wb-form-row", elem_id="request-twin-row") as twin_row:
        twin = gr.Dropdown(
            [], label="That is what I want, too", elem_id="request-twin", elem_classes="wb-field"
        )
        support = gr.Button("Add my name to it", elem_id="request-support", elem_classes="wb-fit")
    with gr.Column(elem_classes="wb-form-grid"):
        more = tuple(_text(field, lines=2) for field in _MORE)
    files = gr.File(
        label=f"Files that help: at most {MOST_PER_REQUEST}, 2 MB each", file_count="multiple", type="filepath",
        file_types=sorted(KINDS), elem_id="request-files", height=120,
    )  # fmt: skip
    send = gr.Button("Send the request", variant="primary", elem_id="request-send", elem_classes="wb-fit")
    notice = markup(elem_id="request-notice")
    return RequestFields(
        hub_id,
        email,
        category,
        priority,
        (*story, *more),
        files,
        hint,
        twins,
        twin,
        support,
        twin_row,
        send,
        notice,
    )


def read_request(values: Sequence[object]) -> RequestForm:
    """The form's values, in the order of `RequestFields.inputs`, as a request that is not checked yet."""
    hub_id, email, category, priority, *texts = (str(value or "").strip() for value in values)
    named = {field.name: text for field, text in zip(_TEXTS, texts, strict=True)}
    return RequestForm(email=email, category=category, priority=Priority(priority), hub_id=hub_id, **named)


def _text(field: _Field, lines: int) -> gr.Textbox:
    return gr.Textbox(
        label=field.label, info=field.help, placeholder=field.example, lines=lines, max_lines=8, max_length=10_000,
        elem_id=f"request-{field.name.replace('_', '-')}", elem_classes="wb-field",
    )  # fmt: skip
