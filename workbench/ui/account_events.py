"""What happens on the Account page. Each handler asks the desk as the account that the session belongs to."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import gradio as gr

from workbench.accounts import AccountDesk, KeyWish
from workbench.core.caller import LOCAL_USER, Caller, CallerLimits
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.store import NewKey
from workbench.ui.account_tables import accounts_table, key_choices, keys_table, usage_frame, usage_table
from workbench.ui.identity import CallerOf
from workbench.ui.notice import Kind, error_notice, notice_html

MINE, EVERYBODY = "Mine", "Everybody"
"""Whose keys and use are shown."""
_ONCE = "You will not see this again: only a hash of it is kept. Copy it now; a lost key can be rotated."
_LOG_OUT = (
    '<form method="post" action="logout"><span>{name}</span> '
    '<button class="wb-text-button">Log out</button></form>'
)


class AccountEvents:
    """The handlers."""

    def __init__(self, desk: AccountDesk, caller_of: CallerOf) -> None:
        self._desk = desk
        self._caller_of = caller_of

    async def who(self, request: gr.Request) -> tuple[str, gr.Radio, str]:
        """The account's name with a way out; for an admin of accounts, everybody's part of the page."""
        caller = self._caller_of(request)
        if caller == LOCAL_USER:
            return "", gr.Radio(visible=False), ""
        name = _LOG_OUT.format(name=escape(caller.account))
        if not caller.is_admin:
            return name, gr.Radio(visible=False), ""
        try:
            accounts = accounts_table(await self._desk.accounts(caller))
        except WorkbenchError as failure:
            accounts = error_notice(failure)
        return name, gr.Radio(visible=True), f"<h2>Accounts</h2>{accounts}"

    async def keys(self, request: gr.Request, whose: str) -> tuple[str, gr.Dropdown]:
        """The table of keys, and those that can be chosen."""
        caller, everybody = self._asking(request, whose)
        try:
            keys = await self._desk.keys(caller, of_everybody=everybody)
        except WorkbenchError as failure:
            return error_notice(failure), gr.Dropdown([], value=None)
        choices = key_choices(keys)
        chosen = choices[0][1] if choices else None
        return keys_table(keys, shows_owner=everybody), gr.Dropdown(choices, value=chosen)

    async def make(
        self,
        request: gr.Request,
        name: str,
        days: int,
        models: list[str],
        concurrency: int | None,
        per_minute: int | None,
        per_day: int | None,
    ) -> tuple[str, str]:
        """A notice and the new key, shown this once."""
        limits = CallerLimits(concurrency or None, per_minute or None, per_day or None)
        wish = KeyWish(name, timedelta(days=days) if days else None, models or None, limits)
        try:
            return _shown(await self._desk.create_key(self._caller_of(request), wish), "Your new key")
        except WorkbenchError as failure:
            return error_notice(failure), ""

    async def rotate(self, request: gr.Request, key_id: str | None, grace_hours: int) -> tuple[str, str]:
        """A notice and the key's new text, shown this once."""
        try:
            grace = timedelta(hours=grace_hours)
            made = await self._desk.rotate_key(self._caller_of(request), _chosen(key_id), grace)
        except WorkbenchError as failure:
            return error_notice(failure), ""
        return _shown(made, "The key's new text")

    def ask(self, key_id: str | None) -> tuple[gr.Row, str]:
        """The question whether to revoke, once a key is chosen."""
        try:
            _chosen(key_id)
        except WorkbenchError as failure:
            return gr.Row(visible=False), error_notice(failure)
        return gr.Row(visible=True), ""

    def put_away(self) -> gr.Row:
        """Hides the question."""
        return gr.Row(visible=False)

    async def revoke(self, request: gr.Request, key_id: str | None) -> tuple[str, str]:
        """A notice; a key that is still shown goes."""
        try:
            await self._desk.revoke_key(self._caller_of(request), _chosen(key_id))
        except WorkbenchError as failure:
            return error_notice(failure), ""
        return notice_html(Kind.INFO, "The key is revoked", "It opens nothing from the next request on."), ""

    async def usage(self, request: gr.Request, whose: str, days: int, unit: str) -> tuple[gr.BarPlot, str]:
        """The chart and the sums."""
        caller, everybody = self._asking(request, whose)
        try:
            used = await self._desk.usage(caller, days, of_everybody=everybody)
        except WorkbenchError as failure:
            return gr.BarPlot(), error_notice(failure)
        chart = gr.BarPlot(usage_frame(used), y=unit, y_title=unit.capitalize(), y_lim=[0, None])
        return chart, usage_table(used, by_account=everybody)

    def _asking(self, request: gr.Request, whose: str) -> tuple[Caller, bool]:
        return self._caller_of(request), whose == EVERYBODY


def _chosen(key_id: str | None) -> str:
    """Raises: InvalidRequest when no key is chosen."""
    if not key_id:
        raise InvalidRequest("Choose a key first.", param="id")
    return key_id


def _shown(made: NewKey, title: str) -> tuple[str, str]:
    """The notice, and the key with a button that copies it."""
    key = (
        f'<div class="wb-secret"><code>{escape(made.secret)}</code>'
        '<button type="button" class="wb-editor-button" data-wb-copy="#account-secret code" title="Copy the key">'
        '<i class="wb-i-copy"></i><span>Copy</span></button></div>'
    )
    return notice_html(Kind.INFO, title, _ONCE), key
