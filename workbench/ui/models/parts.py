"""The parts of the Models page: what is here, adding one, and what else this machine could run."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from workbench.backends.catalogue import QUANTIZATIONS
from workbench.model_desk import DTYPES, ModelWish
from workbench.ui.markup import SOON, markup, title_html

_HEADER = title_html(
    "Models",
    "What can be talked to here, and what else this machine could run.",
)
_MEMBER = (
    '<p class="wb-none">Only admins add models. <a href="#requests">Request a model</a> and say what you need it '
    "for.</p>"
)
_REMOTE = (
    '<p class="wb-none">For an endpoint elsewhere give its base URL above, such as https://host/v1. Prompts are then '
    "sent there.</p>"
)


@dataclass(frozen=True, slots=True)
class ModelsHere:
    """The models there are, and what can be done with one."""

    table: gr.HTML
    chosen: gr.Dropdown
    chat: gr.Button
    remove: gr.Button
    notice: gr.HTML


@dataclass(frozen=True, slots=True)
class AddForm:
    """What is asked of a model that is to be added. `inputs` are in the order of `ModelWish`'s fields."""

    card: gr.Column
    for_members: gr.HTML
    inputs: tuple[gr.components.Component, ...]
    check: gr.Button
    add: gr.Button
    found: gr.HTML
    notice: gr.HTML


@dataclass(frozen=True, slots=True)
class ModelsPage:
    """The page's parts. `loading` is the id of the model this tab waits for, "" for none."""

    here: ModelsHere
    form: AddForm
    fitting: gr.HTML
    offer: gr.Dropdown
    loading: gr.State
    timer: gr.Timer


def build_models_parts() -> ModelsPage:
    """Three cards: what is here, add one, what fits."""
    with gr.Column(elem_id="wb-models", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        with gr.Column(elem_classes="wb-page-body"):
            here = _here()
            form = _form()
            with gr.Column(elem_classes="wb-card"):
                markup("<h2>What fits this machine</h2>")
                fitting = markup(SOON, elem_id="models-fitting")
                offer = gr.Dropdown([], label="Put one of these into the form above", elem_id="models-offer",
                                    elem_classes="wb-field", visible=False)  # fmt: skip
    return ModelsPage(here, form, fitting, offer, gr.State(""), gr.Timer(1.0, active=False))


def _here() -> ModelsHere:
    with gr.Column(elem_classes="wb-card"):
        markup("<h2>Models here</h2>")
        table = markup(SOON, elem_id="models-table")
        with gr.Row(elem_classes="wb-form-row"):
            chosen = gr.Dropdown([], label="Model", elem_id="models-chosen", elem_classes="wb-field", scale=1)
            chat = gr.Button("Chat with it", variant="primary", elem_id="models-chat", elem_classes="wb-fit")
            remove = gr.Button("Remove it", variant="stop", visible=False, elem_id="models-remove",
                               elem_classes="wb-fit")  # fmt: skip
        notice = markup(elem_id="models-notice")
    return ModelsHere(table, chosen, chat, remove, notice)


def _form() -> AddForm:
    for_members = markup(elem_id="models-for-members")
    with gr.Column(elem_classes="wb-card", visible=False, elem_id="models-form") as card:
        markup("<h2>Add a model</h2>")
        source = _text("Hub id, folder, GGUF file or base URL", "models-source", "Qwen/Qwen3-0.6B or /models/mine",
                       "On the hub, on this server, or an OpenAI-compatible endpoint elsewhere.")  # fmt: skip
        with gr.Row(elem_classes="wb-form-row wb-form-top"):
            quantization = gr.Radio(
                [("None", "none"), *((name, name) for name in QUANTIZATIONS[1:])], value="none", label="Quantization",
                info="int8 and nf4 take less memory and lose some quality.", elem_id="models-quantization",
                elem_classes=["wb-segmented", "wb-field"],
            )  # fmt: skip
            dtype = gr.Dropdown(
                [("As the model and machine like it", ""), *((name, name) for name in DTYPES)], value="",
                label="Precision", info="What unquantized weights are kept in.", elem_id="models-dtype",
                elem_classes="wb-field",
            )  # fmt: skip
        with gr.Accordion(
            "More: revision, GGUF file, own name, endpoint", open=False, elem_classes="wb-quiet-accordion"
        ):
            with gr.Row(elem_classes="wb-form-row wb-form-top"):
                revision = _text(
                    "Revision", "models-revision", "main", "A branch, tag or commit of the hub's repository."
                )
                gguf = _text(
                    "GGUF file", "models-gguf", "model-q4_k_m.gguf", "One file of a repository or folder."
                )
                own = _text("Id here", "models-id", "as its source", "What people and programs call it.")
            markup(_REMOTE)
            with gr.Row(elem_classes="wb-form-row wb-form-top"):
                remote = _text(
                    "The endpoint's model", "models-remote", "big-model", "What the endpoint calls it."
                )
                key = _text("Variable with its key", "models-key", "BIG_MODEL_KEY",
                            "An environment variable of this server; never the key itself.")  # fmt: skip
        with gr.Row(elem_classes="wb-form-row"):
            add = gr.Button("Add and load", variant="primary", elem_id="models-add", elem_classes="wb-fit")
            check = gr.Button("Only check", elem_id="models-check", elem_classes="wb-fit")
        found, notice = markup(elem_id="models-found"), markup(elem_id="models-progress")
    inputs = (source, revision, gguf, dtype, quantization, own, remote, key)
    return AddForm(card, for_members, inputs, check, add, found, notice)


def _text(label: str, elem_id: str, placeholder: str, info: str) -> gr.Textbox:
    return gr.Textbox(
        label=label,
        info=info,
        placeholder=placeholder,
        max_length=1000,
        elem_id=elem_id,
        elem_classes="wb-field",
    )


def read_wish(values: tuple[str | None, ...]) -> ModelWish:
    """The form's values as a wish that is not checked yet."""
    return ModelWish(*(value or "" for value in values))


def members_html() -> str:
    """What stands in the form's place for who may not add models."""
    return f'<section class="wb-card"><h2>Add a model</h2>{_MEMBER}</section>'
