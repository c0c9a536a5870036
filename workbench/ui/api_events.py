"""What happens in the API view: the code follows the settings; a key is made on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from snippets import SnippetRequest
from workbench.core.errors import WorkbenchError
from workbench.service import Workbench
from workbench.ui.api_view import (
    TRIAL_KEY_SECONDS,
    ApiView,
    clients_of,
    key_block,
    snippet_html,
    snippet_request,
)
from workbench.ui.code_block import code_html
from workbench.ui.config_panel import ConfigPanel
from workbench.ui.identity import CallerOf, api_address
from workbench.ui.model_header import ignored_by
from workbench.ui.notice import Kind, error_notice, notice_html
from workbench.ui.run_compare import body_json, compare_with_page, seed_of, with_seed

_KEY_TITLE = "Your key is in the block below"
_KEY_TEXT = "It works for 24 hours and is shown this once. Paste the block into a terminal: it runs as it is."


class ApiEvents:
    """The handlers of one API view. The chat's settings do not reach them."""

    def __init__(self, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf) -> None:
        self._config = config
        self._workbench = workbench
        self._caller_of = caller_of

    def show(self, request: gr.Request, language: str, client: str, *source: Any) -> tuple[str, str]:
        """The code and the install line, or what is wrong with a setting."""
        try:
            return snippet_html(self._wanted(request, source), language, client)
        except WorkbenchError as failure:
            return "", error_notice(failure)

    def choose_language(
        self, request: gr.Request, language: str, *source: Any
    ) -> tuple[gr.Dropdown, str, str]:
        """The language's clients, its first one chosen, and the code."""
        clients = clients_of(language)
        chosen = clients[0][1]
        return gr.Dropdown(clients, value=chosen), *self.show(request, language, chosen, *source)

    async def make_key(
        self, request: gr.Request, language: str, client: str, *source: Any
    ) -> tuple[str, str]:
        """A terminal block around a new 24-hour key, and a notice."""
        try:
            secret = await self._workbench.create_key(self._caller_of(request), "trial", TRIAL_KEY_SECONDS)
            wanted = self._wanted(request, source, secret)
        except WorkbenchError as failure:
            return "", error_notice(failure)
        block = key_block(wanted, language, client)
        return code_html(block, "shell", name="A block for a terminal"), notice_html(
            Kind.INFO, _KEY_TITLE, _KEY_TEXT
        )

    def prepare_run(self, request: gr.Request, *source: Any) -> tuple[str, str]:
        """What the browser is to send, and an empty place for the result."""
        try:
            return body_json(with_seed(self._wanted(request, source))), ""
        except WorkbenchError as failure:
            return "", error_notice(failure)

    async def compare_run(
        self, request: gr.Request, body: str, call: str, *source: Any
    ) -> tuple[Any, str, str]:
        """Whether the page gives what the API gave; the body and the call are forgotten."""
        if not body or not call:
            return gr.skip(), "", ""
        wanted = with_seed(self._wanted(request, source), seed_of(body))
        return await compare_with_page(self._workbench, wanted, call, self._caller_of(request)), "", ""

    def _wanted(self, request: gr.Request, source: Sequence[Any], key: str | None = None) -> SnippetRequest:
        is_streamed, message, model, *values = source
        status = self._workbench.model(model, self._caller_of(request))
        settings = self._config.api.settings(values, ignored_by(status))
        address = api_address(request, self._workbench.settings)
        return snippet_request(model, settings, message, address, is_streamed=is_streamed, key=key)


def bind_api_view(
    ui: gr.Blocks, view: ApiView, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf
) -> None:
    """Connects the view's components."""
    events = ApiEvents(config, workbench, caller_of)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    request = [view.is_streamed, view.message, config.model, *config.api.inputs]
    source = [view.language, view.client, *request]
    # Not on a change of the language: its list of clients must change with it, in one event.
    changes = [ui.load, *(part.change for part in (view.client, *request))]
    gr.on(changes, events.show, source, [view.code, view.install], trigger_mode="always_last", **quiet)
    view.language.input(
        events.choose_language, [view.language, *request], [view.client, view.code, view.install], **quiet
    )
    made = view.make_key.click(events.make_key, source, [view.block, view.key_notice], **quiet)
    made.then(None, None, None, js="() => wb.copyBlock('#api-block code', '#api-key-notice')", **quiet)
    prepared = view.run.click(events.prepare_run, request, [view.run_body, view.run_result], **quiet)
    called = prepared.then(None, [view.run_body], [view.run_call], js="(body) => wb.callApi(body)", **quiet)
    called.then(
        events.compare_run,
        [view.run_body, view.run_call, *request],
        [view.run_result, view.run_body, view.run_call],
        show_progress="minimal",
        api_visibility="private",
    )
