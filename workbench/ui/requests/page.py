"""The Requests page: ask for a model, see what others asked for, and, for admins, answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.model_desk import ModelDesk
from workbench.model_requests import RequestDesk
from workbench.store import RequestState
from workbench.ui.context import PageContext
from workbench.ui.markup import SOON, markup, title_html
from workbench.ui.requests.events import ALL, OWN, RequestEvents
from workbench.ui.requests.form import RequestFields, build_request_form

_HEADER = title_html(
    "Requests",
    "Ask for a model that is not here, and see what others asked for.",
)
_STATES = [(state.value.capitalize(), state.value) for state in RequestState]
_EMPTY = (
    '<p class="wb-none">The more an admin knows, the sooner there is an answer. Fields with * are needed.</p>'
)


@dataclass(frozen=True, slots=True)
class RequestList:
    """The requests there are, and one of them in full."""

    shown: gr.Radio
    table: gr.HTML
    chosen: gr.Dropdown
    details: gr.HTML


@dataclass(frozen=True, slots=True)
class AdminTools:
    """What an admin does with the chosen request."""

    row: gr.Column
    state: gr.Radio
    note: gr.Textbox
    save: gr.Button
    accept: gr.Button
    files: gr.Button
    export: gr.Button
    notice: gr.HTML
    saved: gr.HTML


def build_requests_page(context: PageContext) -> None:
    """The form above, the list below."""
    with gr.Column(elem_id="wb-requests", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        with gr.Column(elem_classes="wb-page-body"):
            with gr.Column(elem_classes="wb-card"):
                markup(f"<h2>Request a model</h2>{_EMPTY}")
                form = build_request_form()
            with gr.Column(elem_classes="wb-card"):
                markup("<h2>All requests</h2>")
                listing, tools = _listing(), _admin_tools()
    models = ModelDesk(context.workbench)
    events = RequestEvents(RequestDesk(context.workbench, models), context.caller_of)
    _bind_form(events, form, listing)
    _bind_list(context, events, listing, tools)


def _listing() -> RequestList:
    shown = gr.Radio(
        [ALL, OWN, *_STATES], value=ALL, label="Show", elem_id="requests-shown", elem_classes="wb-segmented"
    )
    table = markup(SOON, elem_id="requests-table")
    chosen = gr.Dropdown([], label="Read one in full", elem_id="requests-chosen", elem_classes="wb-field")
    return RequestList(shown, table, chosen, markup(elem_id="requests-details"))


def _admin_tools() -> AdminTools:
    with gr.Column(visible=False, elem_classes="wb-admin", elem_id="requests-admin") as row:
        markup("<h3>Answer it</h3>")
        state = gr.Radio(_STATES, value=RequestState.NEW.value, label="State", elem_id="requests-state",
                         elem_classes="wb-segmented")  # fmt: skip
        note = gr.Textbox(
            label="Note", info="Everybody who wants the model can read it.", lines=2, max_length=10_000,
            placeholder="The licence allows it; planned for next week.", elem_id="requests-note",
            elem_classes="wb-field",
        )  # fmt: skip
        with gr.Row(elem_classes="wb-form-row"):
            save = gr.Button(
                "Save the answer", variant="primary", elem_id="requests-save", elem_classes="wb-fit"
            )
            accept = gr.Button(
                "Accept and add to the catalogue", elem_id="requests-accept", elem_classes="wb-fit"
            )
            files = gr.Button("Get its files", elem_id="requests-files", elem_classes="wb-fit")
            export = gr.Button("Export all", elem_id="requests-export", elem_classes="wb-fit")
        notice, saved = markup(elem_id="requests-notice"), markup(elem_id="requests-saved")
    return AdminTools(row, state, note, save, accept, files, export, notice, saved)


def _quiet() -> dict[str, Any]:
    return {"show_progress": "hidden", "api_visibility": "private"}


def _bind_form(events: RequestEvents, form: RequestFields, listing: RequestList) -> None:
    # A change, not an input: what is pasted by the mouse is one, too, and so is the form's being emptied.
    looked_at = [form.hub_id, form.texts[0], form.texts[1]]
    alike = [form.twins, form.twin, form.twin_row]
    listed = [listing.table, listing.chosen]
    gr.on([field.change for field in looked_at], events.look_for_twins, looked_at, alike,
          trigger_mode="always_last", **_quiet())  # fmt: skip
    gr.on([form.hub_id.blur, form.hub_id.submit], events.hint, [form.hub_id], [form.hint],
          trigger_mode="always_last", **_quiet())  # fmt: skip
    sent = form.send.click(
        events.send, [form.files, *form.inputs], [form.notice, form.files, *form.inputs], **_quiet()
    )
    supported = form.support.click(events.support, [form.twin, form.email], [form.notice], **_quiet())
    for changed in (sent, supported):
        changed.then(events.listed, [listing.shown], listed, **_quiet())


def _bind_list(context: PageContext, events: RequestEvents, listing: RequestList, tools: AdminTools) -> None:
    listed, seen = [listing.table, listing.chosen], [listing.details, tools.state]
    opened = [*listed, tools.row, tools.accept]

    context.tab.select(events.opened, [listing.shown], opened, **_quiet())
    listing.shown.input(events.listed, [listing.shown], listed, **_quiet())
    listing.chosen.change(events.read, [listing.chosen], seen, **_quiet())
    answered = tools.save.click(
        events.answer, [listing.chosen, tools.state, tools.note], [tools.notice, tools.note], **_quiet()
    )
    accepted = tools.accept.click(events.accept, [listing.chosen], [tools.notice], **_quiet())
    for changed in (answered, accepted):
        changed.then(events.listed, [listing.shown, listing.chosen], listed, **_quiet()).then(
            events.read, [listing.chosen], seen, **_quiet()
        )
    tools.files.click(events.files, [listing.chosen], [tools.notice, tools.saved], **_quiet())
    tools.export.click(events.export, None, [tools.notice, tools.saved], **_quiet())
