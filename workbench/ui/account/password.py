"""The part of the Account page where people change their own password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.core.caller import LOCAL_USER
from workbench.store.passwords import SHORTEST
from workbench.ui.identity import CallerOf
from workbench.ui.markup import markup
from workbench.ui.notice import Kind, notice_html


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

    with gr.Column(visible=False, elem_id="account-password", elem_classes="wb-card") as section:
        markup("<h2>Your password</h2>")
        with gr.Row(elem_classes="wb-account-row"):
            old = secret("Password now", "password-old", "The one you logged in with.", "current-password")
            new = secret("New password", "password-new", f"At least {SHORTEST} characters.", "new-password")
            again = secret("New password again", "password-again", "So that no typing error locks you out.",
                           "new-password")  # fmt: skip
        change = gr.Button("Change the password", elem_id="account-password-change", elem_classes="wb-fit")
        notice = markup(elem_id="account-password-notice")
    return PasswordForm(section, old, new, again, change, notice)


def bind_password(tab: gr.Tab, form: PasswordForm, caller_of: CallerOf) -> None:
    """Connects the form, which is shown to accounts alone.

    The browser sends the fields to the log-in routes itself, because only an answer of theirs can carry the cookie with
    which this page stays logged in. The server's own events see the outcome and never a password.
    """

    def shown(request: gr.Request) -> gr.Column:
        return gr.Column(visible=caller_of(request) != LOCAL_USER)

    fields = [form.old, form.new, form.again]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    tab.select(shown, None, [form.section], **quiet)
    form.change.click(
        told, fields, [form.notice, *fields], js="(...fields) => wb.changePassword(...fields)", **quiet
    )


def told(refusal: str, *_: str) -> tuple[str, str, str, str]:
    """The notice after a change, or after the reason why there is none. The fields are emptied whatever came of it."""
    if refusal:
        return notice_html(Kind.ERROR, "The password is as it was", refusal), "", "", ""
    done = "This page stays logged in. Every other session of the account has ended."
    return notice_html(Kind.INFO, "Your password is changed", done), "", "", ""
