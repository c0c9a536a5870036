"""What happens in the API view: the code follows the settings or an opened call; a key is made on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from snippets import SentRequest, SnippetRequest
from workbench.core.errors import InvalidRequest, Unavailable, WorkbenchError
from workbench.service import Workbench
from workbench.ui.api_view.code import (
    KEY_PLACEHOLDER,
    CallKind,
    clients_of,
    key_block,
    snippet_html,
    snippet_request,
)
from workbench.ui.api_view.elsewhere import elsewhere_html
from workbench.ui.api_view.run_compare import body_json, compare_with_page, seed_of, with_seed
from workbench.ui.api_view.view import ApiView
from workbench.ui.code_block import code_html
from workbench.ui.identity import CallerOf, api_address
from workbench.ui.model_header import ignored_by
from workbench.ui.notice import Kind, error_notice, notice_html
from workbench.ui.serverless.config_panel import API_VIEW, ConfigPanel
from workbench.ui.serverless.guard_panel import GUARD_INPUTS, chosen_guard, read_guard
from workbench.ui.thread.moderation_field import moderation_of
from workbench.ui.thread.sent_calls import read_sent
from workbench.ui.values_box import values_box

TRIAL_KEY_SECONDS = 24 * 3600

_KEY_TITLE = "Your key is in the block below"
_KEY_TEXT = "It works for 24 hours and is shown this once. Paste the block into a terminal: it runs as it is."
_ONE_CALL = (
    "Run & compare sends one call of the panel's: choose Chat or Completion, and close an opened call."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the view is to show, as its components say it; `settings` and `screening` are the panel's values."""

    opened: str
    kind: CallKind
    is_streamed: bool
    has_key: bool
    message: str
    model: str
    settings: Sequence[Any]
    screening: Sequence[Any]

    @classmethod
    def of(cls, source: Sequence[Any]) -> Wanted:
        """The values of the box that `bind_api_view` makes."""
        opened, kind, is_streamed, has_key, message, model, *settings = source
        settings, screening = settings[:-GUARD_INPUTS], settings[-GUARD_INPUTS:]
        return cls(opened, CallKind(kind), is_streamed, has_key, message, model, settings, screening)


class ApiEvents:
    """The handlers of one API view. The chat's settings do not reach them."""

    def __init__(self, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf) -> None:
        self._config = config
        self._workbench = workbench
        self._caller_of = caller_of

    def show(self, request: gr.Request, language: str, client: str, source: Sequence[Any]) -> tuple[str, str]:
        """The code and the install line, or what is wrong with a setting.

        While the list of clients follows a new language, `client` may be one of the language before.
        """
        wanted, clients = Wanted.of(source), [id_ for _, id_ in clients_of(language)]
        client = client if client in clients else clients[0]
        try:
            key = KEY_PLACEHOLDER if wanted.has_key else None
            return snippet_html(self._code_of(request, wanted, key), language, client)
        except WorkbenchError as failure:
            return "", error_notice(failure)

    def choose_language(self, language: str) -> gr.Dropdown:
        """The language's clients, its first one chosen."""
        clients = clients_of(language)
        return gr.Dropdown(clients, value=clients[0][1])

    async def make_key(
        self, request: gr.Request, language: str, client: str, source: Sequence[Any]
    ) -> tuple[str, str]:
        """A terminal block around a new 24-hour key, and a notice."""
        try:
            secret = await self._workbench.create_key(self._caller_of(request), "trial", TRIAL_KEY_SECONDS)
            wanted = self._code_of(request, Wanted.of(source), secret)
        except WorkbenchError as failure:
            return "", error_notice(failure)
        block = key_block(wanted, language, client)
        return code_html(block, "shell", name="A block for a terminal"), notice_html(
            Kind.INFO, _KEY_TITLE, _KEY_TEXT
        )

    def prepare_run(self, request: gr.Request, source: Sequence[Any]) -> tuple[str, str]:
        """What the browser is to send, and an empty place for the result."""
        try:
            return body_json(with_seed(self._comparable(request, Wanted.of(source)))), ""
        except WorkbenchError as failure:
            return "", error_notice(failure)

    async def compare_run(
        self, request: gr.Request, body: str, call: str, source: Sequence[Any]
    ) -> tuple[Any, str, str]:
        """Whether the page gives what the API gave; the body and the call are forgotten."""
        if not body or not call:
            return gr.skip(), "", ""
        wanted = with_seed(self._comparable(request, Wanted.of(source)), seed_of(body))
        screening = read_guard(Wanted.of(source).screening)
        caller = self._caller_of(request)
        return await compare_with_page(self._workbench, wanted, call, caller, screening), "", ""

    async def elsewhere(self, request: gr.Request) -> str:
        """What the account's keys did last, anywhere."""
        account = self._caller_of(request).account
        try:
            keys = await self._workbench.store.keys.list(account)
        except Unavailable:
            keys = []
        return elsewhere_html(self._workbench.recent_calls.of(account), {key.id: key.name for key in keys})

    async def turn_view(self, request: gr.Request, view: str) -> tuple[Any, gr.Timer]:
        """The list of calls when this view is shown; a sleeping timer when it is not."""
        if view != API_VIEW:
            return gr.skip(), gr.Timer(active=False)
        return await self.elsewhere(request), gr.Timer(active=True)

    def _code_of(self, request: gr.Request, wanted: Wanted, key: str | None) -> SnippetRequest | SentRequest:
        """The call that was opened, else the panel's own."""
        if wanted.opened:
            return read_sent(wanted.opened, api_address(request, self._workbench.settings), key)
        return self._panel_request(request, wanted, key)

    def _comparable(self, request: gr.Request, wanted: Wanted) -> SnippetRequest:
        """The panel's request, if it is a single call."""
        if wanted.opened or wanted.kind is CallKind.GUARDED:
            raise InvalidRequest(_ONE_CALL)
        return self._panel_request(request, wanted, None)

    def _panel_request(self, request: gr.Request, wanted: Wanted, key: str | None) -> SnippetRequest:
        status = self._workbench.model(wanted.model, self._caller_of(request))
        settings = self._config.api.settings(wanted.settings, ignored_by(status))
        address = api_address(request, self._workbench.settings)
        return snippet_request(
            wanted.model, settings, wanted.message, address,
            kind=wanted.kind, is_streamed=wanted.is_streamed, key=key,
            moderation=moderation_of(read_guard(wanted.screening)), guard=chosen_guard(wanted.screening),
        )  # fmt: skip


def bind_api_view(
    ui: gr.Blocks, view: ApiView, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf
) -> None:
    """Connects the view's components."""
    events = ApiEvents(config, workbench, caller_of)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wanted = values_box(
        [view.opened, view.kind, view.is_streamed, view.has_key, view.message, config.model, *config.api.inputs,
         *config.api_guard.inputs]
    )  # fmt: skip
    source = [view.language, view.client, wanted]
    # Each is sent with the values of its moment, and one is done after the other: the last one sent is what stays.
    in_turn: dict[str, Any] = {**quiet, "concurrency_id": "api-code", "concurrency_limit": 1}
    shown = [view.code, view.install]
    changes = [config.view.change, view.client.change, wanted.change]
    gr.on(changes, events.show, source, shown, trigger_mode="always_last", **in_turn)
    chosen = view.language.input(events.choose_language, [view.language], [view.client], **quiet)
    chosen.then(events.show, source, shown, **in_turn)
    view.has_key.change(None, [view.has_key], None, js="(isWanted) => wb.askForKey(isWanted)", **quiet)
    view.open.click(None, None, [view.opened], js="() => wb.openedCall()", **quiet)
    made = view.make_key.click(events.make_key, source, [view.block, view.key_notice], **quiet)
    made.then(None, None, None, js="() => wb.copyBlock('#api-block code', '#api-key-notice')", **quiet)
    config.view.change(events.turn_view, [config.view], [view.elsewhere, view.timer], **quiet)
    view.timer.tick(events.elsewhere, None, [view.elsewhere], **quiet)
    _bind_run(view, wanted, events)


def _bind_run(view: ApiView, wanted: gr.Textbox, events: ApiEvents) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    prepared = view.run.click(events.prepare_run, [wanted], [view.run_body, view.run_result], **quiet)
    called = prepared.then(
        None,
        [view.run_body, view.kind],
        [view.run_call],
        js="(body, kind) => wb.callApi(body, kind)",
        **quiet,
    )
    called.then(
        events.compare_run,
        [view.run_body, view.run_call, wanted],
        [view.run_result, view.run_body, view.run_call],
        show_progress="minimal",
        api_visibility="private",
    )
