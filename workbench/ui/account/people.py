"""The part of the Account page where admins decide about accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.accounts import AccountDesk
from workbench.core.access import AccountRole
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.store.passwords import SHORTEST
from workbench.ui.account.tables import accounts_table
from workbench.ui.identity import CallerOf
from workbench.ui.markup import markup
from workbench.ui.notice import Kind, error_notice, notice_html

ROLES = [("Member", AccountRole.MEMBER.value), ("Admin", AccountRole.ADMIN.value)]
_LOCAL = (
    '<p class="wb-none">This server is for you alone. To share it, make an admin with <code>workbench users create '
    "NAME --admin</code> and start it again: everybody then logs in.</p>"
)


@dataclass(frozen=True, slots=True)
class PeopleSection:
    """The accounts there are, a new one, and what can be done with one."""

    section: gr.Column
    for_local: gr.HTML
    table: gr.HTML
    chosen: gr.Dropdown
    role: gr.Radio
    set_role: gr.Button
    close: gr.Button
    open: gr.Button
    name: gr.Textbox
    password: gr.Textbox
    new_role: gr.Radio
    make: gr.Button
    reset: gr.Button
    notice: gr.HTML


def build_people_section() -> PeopleSection:
    """A table of everybody, one account to decide about, and a form for a new one."""
    for_local = markup(elem_id="account-local")
    with gr.Column(visible=False, elem_id="account-people", elem_classes="wb-card") as section:
        markup("<h2>Accounts</h2>")
        table = markup(elem_id="account-accounts")
        with gr.Row(elem_classes="wb-account-row"):
            chosen = gr.Dropdown([], label="Account", elem_id="people-account", elem_classes="wb-field")
            role = gr.Radio(ROLES, value=ROLES[0][1], label="Role", elem_id="people-role",
                            elem_classes=["wb-segmented", "wb-field"])  # fmt: skip
            set_role = gr.Button("Set the role", elem_id="people-set-role", scale=0)
            close = gr.Button("Close it", variant="stop", elem_id="people-close", scale=0)
            open_ = gr.Button("Open it again", elem_id="people-open", scale=0)
        markup("<h3>Make an account, or give one another password</h3>")
        with gr.Row(elem_classes="wb-account-row"):
            name = gr.Textbox(label="Name", info="Letters, digits and . _ - @ +", max_length=64, elem_id="people-name",
                              elem_classes="wb-field")  # fmt: skip
            password = gr.Textbox(
                label="Password", info=f"At least {SHORTEST} characters; its owner can change it.", type="password",
                max_length=1024, elem_id="people-password", elem_classes="wb-field",
                html_attributes=gr.InputHTMLAttributes(autocomplete="new-password"),
            )  # fmt: skip
            new_role = gr.Radio(ROLES, value=ROLES[0][1], label="Role", info="Admins decide about all others.",
                                elem_id="people-new-role", elem_classes=["wb-segmented", "wb-field"])  # fmt: skip
        with gr.Row(elem_classes="wb-account-row"):
            make = gr.Button("Make the account", variant="primary", elem_id="people-make", scale=0)
            reset = gr.Button("Give it this password", elem_id="people-reset", scale=0)
        notice = markup(elem_id="people-notice")
    return PeopleSection(
        section,
        for_local,
        table,
        chosen,
        role,
        set_role,
        close,
        open_,
        name,
        password,
        new_role,
        make,
        reset,
        notice,
    )


class PeopleEvents:
    """The handlers. What only an admin may do is refused by the desk, whoever sends the event."""

    def __init__(self, desk: AccountDesk, caller_of: CallerOf) -> None:
        self._desk = desk
        self._caller_of = caller_of

    def shown(self, request: gr.Request) -> tuple[gr.Column, str]:
        """The section for admins of accounts; how to share the server for its one local user."""
        caller = self._caller_of(request)
        is_local = caller == LOCAL_USER
        return gr.Column(visible=caller.is_admin and not is_local), _LOCAL if is_local else ""

    async def listed(self, request: gr.Request, chosen: str | None) -> tuple[str, gr.Dropdown]:
        """The table, and the accounts that can be chosen; who is chosen stays chosen."""
        caller = self._caller_of(request)
        if not caller.is_admin or caller == LOCAL_USER:
            return "", gr.Dropdown([])
        try:
            accounts = await self._desk.accounts(caller)
        except WorkbenchError as failure:
            return error_notice(failure), gr.Dropdown([])
        names = [account.name for account in accounts]
        value = chosen if chosen in names else next(iter(names), None)
        return accounts_table(accounts), gr.Dropdown(names, value=value)

    async def make(self, request: gr.Request, name: str, password: str, role: str) -> tuple[str, Any, str]:
        """A new account; its password is forgotten here."""
        try:
            made = await self._desk.create_account(
                self._caller_of(request), name or "", password or "", AccountRole(role)
            )
        except WorkbenchError as failure:
            return error_notice(failure), gr.skip(), ""
        said = f"Tell {made.name} the password in private; it can be changed on this page."
        return notice_html(Kind.INFO, f"The account {made.name} is made", said), "", ""

    async def reset(self, request: gr.Request, name: str, password: str) -> tuple[str, Any, str]:
        """Another password for an account."""
        try:
            await self._desk.reset_password(self._caller_of(request), name or "", password or "")
        except WorkbenchError as failure:
            return error_notice(failure), gr.skip(), ""
        said = "Its sessions have ended. Its keys work on."
        return notice_html(Kind.INFO, f"{name} has another password", said), "", ""

    async def set_role(self, request: gr.Request, name: str | None, role: str) -> str:
        """Another role."""
        try:
            await self._desk.set_role(self._caller_of(request), _chosen(name), AccountRole(role))
        except WorkbenchError as failure:
            return error_notice(failure)
        return notice_html(Kind.INFO, f"{name} is {role} now", "It logs in anew.")

    async def close(self, request: gr.Request, name: str | None) -> str:
        """Closes an account with its keys."""
        return await self._set_disabled(
            request, name, True, "is closed", "Its sessions ended, its keys are revoked."
        )

    async def open(self, request: gr.Request, name: str | None) -> str:
        """Opens an account again."""
        return await self._set_disabled(request, name, False, "is open again", "It needs new keys: the old ones stay "
                                        "revoked.")  # fmt: skip

    async def _set_disabled(
        self, request: gr.Request, name: str | None, is_disabled: bool, title: str, text: str
    ) -> str:
        try:
            await self._desk.set_disabled(self._caller_of(request), _chosen(name), is_disabled)
        except WorkbenchError as failure:
            return error_notice(failure)
        return notice_html(Kind.INFO, f"{name} {title}", text)


def bind_people(tab: gr.Tab, people: PeopleSection, events: PeopleEvents) -> None:
    """Connects the section; every change shows the table anew."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    made = [people.notice, people.name, people.password]
    changes = (
        people.make.click(events.make, [people.name, people.password, people.new_role], made, **quiet),
        people.reset.click(events.reset, [people.name, people.password], made, **quiet),
        people.set_role.click(events.set_role, [people.chosen, people.role], [people.notice], **quiet),
        people.close.click(events.close, [people.chosen], [people.notice], **quiet),
        people.open.click(events.open, [people.chosen], [people.notice], **quiet),
    )
    listed = [people.table, people.chosen]
    for change in changes:
        change.then(events.listed, [people.chosen], listed, **quiet)
    tab.select(events.shown, None, [people.section, people.for_local], **quiet)
    tab.select(events.listed, [people.chosen], listed, **quiet)


def _chosen(name: str | None) -> str:
    """Raises: InvalidRequest when no account is chosen."""
    if not name:
        raise InvalidRequest("Choose an account first.", param="name")
    return name
