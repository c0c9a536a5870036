"""The part of the Account page where people change their own password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.accounts import AccountDesk
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.store.passwords import SHORTEST
from workbench.ui.identity import CallerOf
from workbench.ui.markup import markup
from workbench.ui.notice import Kind, error_notice, notice_html


@dataclass(frozen=True, slots=True)
class PasswordForm:
    """The fields; the section is there for accounts alone: the one local user has no password."""

    section: gr.Column
    old: gr.Textbox
    new: gr.Textbox
    again: gr.Textbox
    change: gr.Button
    notice: gr.HTML


def build_password_form() -> PasswordForm:
    """The old password, and the new one twice."""

    def secret(label: str, name: str, info: str, autofill: str) -> gr.Textbox:
        return gr.Textbox(
            label=label, info=info, type="password", max_length=1024, elem_id=f"account-{name}",
            elem_classes="wb-field", html_attributes=gr.InputHTMLAttributes(autocomplete=autofill),
        )  # fmt: skip

    with gr.Column(visible=False, elem_id="account-password", elem_classes="wb-account-section") as section:
        markup("<h2>Your password</h2>")
        with gr.Row(elem_classes="wb-account-row"):
            old = secret("Password now", "password-old", "The one you logged in with.", "current-password")
            new = secret("New password", "password-new", f"At least {SHORTEST} characters.", "new-password")
            again = secret("New password again", "password-again", "So that no typing error locks you out.",
                           "new-password")  # fmt: skip
        change = gr.Button("Change the password", elem_id="account-password-change", elem_classes="wb-fit")
        notice = markup(elem_id="account-password-notice")
    return PasswordForm(section, old, new, again, change, notice)


def bind_password(ui: gr.Blocks, form: PasswordForm, desk: AccountDesk, caller_of: CallerOf) -> None:
    """Connects the form, which is shown to accounts alone. The fields are emptied whatever comes of a change."""

    def shown(request: gr.Request) -> gr.Column:
        return gr.Column(visible=caller_of(request) != LOCAL_USER)

    async def change(request: gr.Request, old: str, new: str, again: str) -> tuple[str, str, str, str]:
        return await changed(desk, caller_of, request, old, new, again), "", "", ""

    fields = [form.old, form.new, form.again]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    ui.load(shown, None, [form.section], **quiet)
    form.change.click(change, fields, [form.notice, *fields], **quiet)


async def changed(
    desk: AccountDesk, caller_of: CallerOf, request: gr.Request, old: str, new: str, again: str
) -> str:
    """The notice after a change, or after the reason why there is none."""
    try:
        if new != again:
            raise InvalidRequest("The new passwords differ. Type the same one twice.", param="password")
        await desk.change_password(caller_of(request), old or "", new or "")
    except WorkbenchError as failure:
        return error_notice(failure)
    return notice_html(
        Kind.INFO, "Your password is changed", "Every session of this account has ended, this one too: reload the page "
        "and log in with the new password.",
    )  # fmt: skip
