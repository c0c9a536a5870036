"""What happens on the Account page. Each handler asks the desk as the account that the session belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import gradio as gr

from workbench.accounts import AccountDesk, KeyWish
from workbench.core.caller import LOCAL_USER, Caller, CallerLimits
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.store import NewKey
from workbench.ui.account.tables import key_choices, keys_table, usage_table
from workbench.ui.account.usage_chart import usage_chart
from workbench.ui.identity import CallerOf
from workbench.ui.notice import Kind, error_notice, notice_html

MINE, EVERYBODY = "Mine", "Everybody"
"""Whose keys and use are shown."""
DISABLE, ENABLE = "Disable", "Enable"
"""What a key's switch does when it is pressed."""
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

    def who(self, request: gr.Request) -> tuple[str, gr.Radio]:
        """The account's name with a way out; whose keys are shown, for an admin of accounts."""
        caller = self._caller_of(request)
        if caller == LOCAL_USER:
            return "", gr.Radio(visible=False)
        return _LOG_OUT.format(name=escape(caller.account)), gr.Radio(visible=caller.is_admin)

    async def keys(
        self, request: gr.Request, whose: str, chosen: str | None = None
    ) -> tuple[str, gr.Dropdown, gr.Column]:
        """The table of keys, those that can be chosen, and what can be done with one where there is one.

        The chosen one stays chosen while it is among them.
        """
        caller, everybody = self._asking(request, whose)
        try:
            keys = await self._desk.keys(caller, of_everybody=everybody)
        except WorkbenchError as failure:
            return error_notice(failure), gr.Dropdown([], value=None), gr.Column(visible=False)
        choices = key_choices(keys)
        ids = [id_ for _, id_ in choices]
        value = chosen if chosen in ids else next(iter(ids), None)
        table = keys_table(keys, shows_owner=everybody)
        return table, gr.Dropdown(choices, value=value), gr.Column(visible=bool(ids))

    async def choose(self, request: gr.Request, whose: str, key_id: str | None) -> tuple[Any, ...]:
        """The chosen key's switch and its limits."""
        caller, everybody = self._asking(request, whose)
        try:
            keys = await self._desk.keys(caller, of_everybody=everybody)
        except WorkbenchError:
            keys = ()
        key = next((key for key in keys if key.id == key_id), None)
        if key is None:
            return gr.Button(DISABLE), None, None, None
        limits = key.limits
        switch = gr.Button(DISABLE if key.disabled_at is None else ENABLE)
        return switch, limits.concurrency, limits.requests_per_minute, limits.tokens_per_day

    async def switch(self, request: gr.Request, key_id: str | None, does: str) -> str:
        """Disables the key, or enables it again, as its button says."""
        is_disabled = does == DISABLE
        try:
            await self._desk.set_key_disabled(self._caller_of(request), _chosen(key_id), is_disabled)
        except WorkbenchError as failure:
            return error_notice(failure)
        if is_disabled:
            return notice_html(
                Kind.INFO, "The key is disabled", "It opens nothing until you enable it again."
            )
        return notice_html(Kind.INFO, "The key is enabled", "It works again from the next request on.")

    async def limit(
        self,
        request: gr.Request,
        key_id: str | None,
        concurrency: int | None,
        per_minute: int | None,
        per_day: int | None,
    ) -> str:
        """Other limits for the key; an empty field is no limit."""
        limits = CallerLimits(concurrency or None, per_minute or None, per_day or None)
        try:
            await self._desk.set_key_limits(self._caller_of(request), _chosen(key_id), limits)
        except WorkbenchError as failure:
            return error_notice(failure)
        return notice_html(Kind.INFO, "The limits are saved", "They count from the key's next request on.")

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

    def forget(self) -> tuple[str, str]:
        """Takes away the text of a key that was made before."""
        return "", ""

    async def revoke(self, request: gr.Request, key_id: str | None) -> tuple[str, str]:
        """A notice; a key that is still shown goes."""
        try:
            await self._desk.revoke_key(self._caller_of(request), _chosen(key_id))
        except WorkbenchError as failure:
            return error_notice(failure), ""
        return notice_html(Kind.INFO, "The key is revoked", "It opens nothing from the next request on."), ""

    async def usage(self, request: gr.Request, whose: str, days: int, unit: str) -> tuple[str, str]:
        """The chart and the sums."""
        caller, everybody = self._asking(request, whose)
        try:
            used = await self._desk.usage(caller, days, of_everybody=everybody)
        except WorkbenchError as failure:
            return "", error_notice(failure)
        chart = usage_chart(used, unit, days, datetime.now(UTC).date())
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
        f'<div class="wb-secret {made.id}"><code>{escape(made.secret)}</code>'
        f'<button type="button" class="wb-editor-button" data-wb-copy=".wb-secret.{made.id} code" title="Copy the key">'
        '<i class="wb-i-copy"></i><span>Copy</span></button></div>'
    )
    return notice_html(Kind.INFO, title, _ONCE), key
