"""The Account page: keys, use, and for admins everybody's."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from workbench.accounts import AccountDesk
from workbench.core.caller import LOCAL_USER
from workbench.ui.account.events import DISABLE, EVERYBODY, MINE, AccountEvents
from workbench.ui.account.password import bind_password, build_password_form
from workbench.ui.account.people import PeopleEvents, bind_people, build_people_section
from workbench.ui.context import PageContext
from workbench.ui.markup import SOON, markup, title_html
from workbench.ui.model_menus import all_of
from workbench.ui.optional_number import optional_number

EXPIRIES = [("7 days", 7), ("30 days", 30), ("90 days", 90), ("1 year", 365), ("Never", 0)]
"""(label, days) of a new key's life; 0 is no end."""
GRACES = [("at once", 0), ("in 1 hour", 1), ("in 24 hours", 24), ("in 7 days", 168)]
"""(label, hours) after which a rotated key's text before stops working."""
SPANS = [("7 days", 7), ("30 days", 30), ("90 days", 90)]

_HEADER = title_html("Account", "Keys for the API, and what they used.")
_SURE = "<p>Whatever uses this key stops working at its next request. This cannot be taken back.</p>"


@dataclass(frozen=True, slots=True)
class NewKeyForm:
    """The fields of a new key, and where it is shown."""

    name: gr.Textbox
    days: gr.Dropdown
    models: gr.Dropdown
    limits: tuple[gr.Textbox, ...]
    make: gr.Button
    notice: gr.HTML
    secret: gr.HTML


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys there are, and what can be done with one: `tools`, shown where there is one to choose."""

    table: gr.HTML
    tools: gr.Column
    chosen: gr.Dropdown
    grace: gr.Dropdown
    rotate: gr.Button
    switch: gr.Button
    revoke: gr.Button
    limits: tuple[gr.Textbox, ...]
    save_limits: gr.Button
    notice: gr.HTML
    secret: gr.HTML
    sure: gr.Row
    revoke_surely: gr.Button
    keep: gr.Button


@dataclass(frozen=True, slots=True)
class UsageView:
    """The chart and the sums."""

    whose: gr.Radio
    days: gr.Dropdown
    unit: gr.Radio
    chart: gr.HTML
    table: gr.HTML


def build_account_page(context: PageContext) -> None:
    """The page's sections, from the most to the least often needed."""
    workbench = context.workbench
    models = [status.card.id for status in workbench.models(LOCAL_USER)]
    with gr.Column(elem_id="wb-account", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
            who = markup(elem_id="account-who")
        with gr.Column(elem_classes="wb-page-body wb-account-body"):
            with gr.Column(elem_classes="wb-card"):
                keys = _key_list()
            with gr.Column(elem_classes="wb-card"):
                form = _new_key_form(models)
            with gr.Column(elem_classes="wb-card"):
                usage = _usage_view()
            password, people = build_password_form(), build_people_section()
    context.menus.add(form.models, all_of(lambda status: status.card.id))
    desk = AccountDesk(lambda: workbench.store)
    events = AccountEvents(desk, context.caller_of)
    context.tab.select(events.who, None, [who, usage.whose], **_quiet())
    _bind_keys(context.tab, events, keys, form, usage)
    bind_password(context.tab, password, context.caller_of)
    bind_people(context.tab, people, PeopleEvents(desk, context.caller_of))
    _bind_usage(context.tab, events, usage)


def _key_list() -> KeyList:
    markup("<h2>Your keys</h2>")
    table = markup(SOON, elem_id="account-keys")
    with gr.Column(visible=False, elem_id="account-key-tools", elem_classes="wb-account-section") as tools:
        with gr.Row(elem_classes="wb-account-row"):
            chosen = gr.Dropdown([], label="Key", elem_id="account-key", elem_classes="wb-field")
            grace = gr.Dropdown(GRACES, value=24, label="The old text stops", elem_classes="wb-field")
            rotate = gr.Button("Rotate", elem_id="account-rotate", scale=0)
            switch = gr.Button(DISABLE, elem_id="account-switch", scale=0)
            revoke = gr.Button("Revoke", variant="stop", elem_id="account-revoke", scale=0)
        with gr.Row(visible=False, elem_classes="wb-account-row", elem_id="account-sure") as sure:
            markup(_SURE)
            surely = gr.Button("Revoke it for good", variant="stop", elem_id="account-revoke-surely", scale=0)
            keep = gr.Button("Keep it", scale=0)
        with gr.Accordion("Limits of this key", open=False, elem_classes="wb-account-more"):
            markup('<p class="wb-none">Empty is no limit. They count from the next request on.</p>')
            with gr.Row(elem_classes="wb-account-row"):
                limits = _limit_fields("account-limit")
                save = gr.Button("Save the limits", elem_id="account-save-limits", scale=0)
    notice, secret = markup(elem_id="account-key-notice"), markup(elem_id="account-key-secret")
    return KeyList(
        table, tools, chosen, grace, rotate, switch, revoke, limits, save, notice, secret, sure, surely, keep
    )


def _limit_fields(name: str) -> tuple[gr.Textbox, ...]:
    """Concurrency, requests a minute, tokens a day."""
    labels = ("Calls at once", "Calls a minute", "Tokens a day")
    return tuple(
        optional_number(None, label=label, low=1, is_whole=True, elem_id=f"{name}-{place}")
        for place, label in enumerate(labels)
    )


def _new_key_form(models: list[str]) -> NewKeyForm:
    markup("<h2>Make a key</h2>")
    with gr.Row(elem_classes="wb-account-row"):
        name = gr.Textbox(label="What it is for", placeholder="nightly evaluation", max_length=200,
                          elem_id="account-name", elem_classes="wb-field")  # fmt: skip
        days = gr.Dropdown(EXPIRIES, value=90, label="Expires in", elem_classes="wb-field")
    with gr.Accordion("Models and limits", open=False, elem_classes="wb-account-more"):
        allowed = gr.Dropdown(models, value=[], multiselect=True, label="Models (none chosen: all)",
                              elem_classes="wb-field")  # fmt: skip
        with gr.Row(elem_classes="wb-account-row"):
            limits = _limit_fields("account-new-limit")
    make = gr.Button("Make a key", variant="primary", elem_id="account-make")
    notice, secret = markup(elem_id="account-notice"), markup(elem_id="account-secret")
    return NewKeyForm(name, days, allowed, limits, make, notice, secret)


def _usage_view() -> UsageView:
    markup("<h2>Use</h2>")
    with gr.Row(elem_classes="wb-account-row"):
        whose = gr.Radio([MINE, EVERYBODY], value=MINE, label="Whose", visible=False, elem_id="account-whose",
                         elem_classes="wb-field")  # fmt: skip
        days = gr.Dropdown(SPANS, value=30, label="Of the last", elem_classes="wb-field")
        unit = gr.Radio([("Tokens", "tokens"), ("Credits", "credits")], value="tokens", label="Counted in",
                        elem_classes="wb-field")  # fmt: skip
    chart = markup(elem_id="account-chart")
    return UsageView(whose, days, unit, chart, markup(SOON, elem_id="account-usage"))


def _quiet() -> dict[str, object]:
    return {"show_progress": "hidden", "api_visibility": "private"}


def _bind_keys(tab: gr.Tab, events: AccountEvents, keys: KeyList, form: NewKeyForm, usage: UsageView) -> None:
    listed, shown = [keys.table, keys.chosen, keys.tools], [form.notice, form.secret]
    wish = [form.name, form.days, form.models, *form.limits]
    made = form.make.click(events.make, wish, shown, **_quiet())
    told = [keys.notice, keys.secret]
    rotated = keys.rotate.click(events.rotate, [keys.chosen, keys.grace], told, **_quiet())
    keys.revoke.click(events.ask, [keys.chosen], [keys.sure, keys.notice], **_quiet())
    keys.keep.click(events.put_away, None, [keys.sure], **_quiet())
    revoked = keys.revoke_surely.click(events.revoke, [keys.chosen], told, **_quiet())
    revoked.then(events.put_away, None, [keys.sure], **_quiet())
    switched = keys.switch.click(events.switch, [keys.chosen, keys.switch], [keys.notice], **_quiet())
    limited = keys.save_limits.click(events.limit, [keys.chosen, *keys.limits], [keys.notice], **_quiet())
    known = [keys.switch, *keys.limits]
    for outdated in (rotated, revoked):
        outdated.then(events.forget, None, shown, **_quiet())
    for changed in (rotated, revoked, switched, limited):
        changed.then(events.keys, [usage.whose, keys.chosen], listed, **_quiet()).then(
            events.choose, [usage.whose, keys.chosen], known, **_quiet()
        )
    made.then(events.keys, [usage.whose], listed, **_quiet())
    keys.chosen.change(events.choose, [usage.whose, keys.chosen], known, **_quiet())
    gr.on([tab.select, usage.whose.change], events.keys, [usage.whose], listed, **_quiet())


def _bind_usage(tab: gr.Tab, events: AccountEvents, usage: UsageView) -> None:
    asked = [usage.whose, usage.days, usage.unit]
    changes = [tab.select, *(part.change for part in asked)]
    shown = [usage.chart, usage.table]
    gr.on(changes, events.usage, asked, shown, trigger_mode="always_last", **_quiet())
