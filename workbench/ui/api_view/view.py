"""View = API: the panel's request as code, and what to do when a key is refused."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from snippets import KEY_VARIABLE, LANGUAGES
from workbench.ui.api_view.code import DEFAULT_LANGUAGE, DEFAULT_MESSAGE, CallKind, clients_of
from workbench.ui.markup import carrier, markup

ELSEWHERE_SECONDS = 3.0


_KINDS = [("Chat", CallKind.CHAT), ("Completion", CallKind.COMPLETION), ("Chat, guarded", CallKind.GUARDED)]


@dataclass(frozen=True, slots=True)
class ApiView:
    """The view's parts.

    `run_body` and `run_call` are hidden: what the browser sends, and what it got. `opened` is hidden, too: the call of
    this tab whose code is shown in place of the panel's, "" for none; `open` is what the script presses to change it.
    `elsewhere` lists calls of the account's keys, brought up to date by `timer`.
    """

    message: gr.Textbox
    language: gr.Dropdown
    client: gr.Dropdown
    kind: gr.Dropdown
    is_streamed: gr.Checkbox
    has_key: gr.Checkbox
    code: gr.HTML
    install: gr.HTML
    make_key: gr.Button
    block: gr.HTML
    key_notice: gr.HTML
    run: gr.Button
    run_body: gr.Textbox
    run_call: gr.Textbox
    run_result: gr.HTML
    opened: gr.Textbox
    open: gr.Button
    elsewhere: gr.HTML
    timer: gr.Timer


_HELP = f"""
<details class="wb-disclosure"><summary>Invalid API key?</summary><ul>
<li><b>Not exported.</b> The code reads <code>{KEY_VARIABLE}</code> from the terminal it runs in:
<code>export {KEY_VARIABLE}=wb-…</code>, then run it in that same terminal.</li>
<li><b>Wrong kind.</b> Workbench's keys begin with <code>wb-</code>. A key of another service, or a key for another
purpose, is refused; so is one that was revoked or has expired.</li>
<li><b>Sent elsewhere.</b> The JavaScript client spells it <code>baseURL</code>: with <code>baseUrl</code> it is
ignored, and the call goes to another company's server, which does not know the key.</li>
<li><b>Quoted twice.</b> A key pasted with its quotation marks or a line break is another key.</li>
</ul></details>
"""


_OWN_KEY = (
    '<div class="wb-own-key" data-own-key hidden><label for="api-own-key">Your key</label>'
    '<input id="api-own-key" type="password" autocomplete="off" spellcheck="false" placeholder="wb-…">'
    "<p><b>The code then holds your key.</b> Whoever gets the code can use it: do not commit, send or screenshot it. "
    "The key stays in this tab and is not sent to the server.</p>"
    '<p class="wb-mark wb-invalid" role="status" data-own-key-fault hidden>A key begins with wb-, and has letters, '
    "digits, - and _ only.</p></div>"
)
_SHOWING = (
    '<div class="wb-notice" data-showing role="status" hidden><div><strong data-showing-what></strong></div>'
    '<button type="button" class="wb-text-button" data-close-call>Back to the panel’s request</button></div>'
)
_CALLS = (
    '<section class="wb-calls-of-tab"><h3>Calls of this tab</h3><p class="wb-none" data-no-calls>None yet. What you '
    "send in the chat, in Compare and with Run &amp; compare is listed here and opens as code. It lives in this tab "
    'only: a refresh forgets it.</p><div class="wb-calls-list" data-calls></div></section>'
)
_ELSEWHERE = "<h3>Calls of your keys, from anywhere</h3>"
_EDITOR_TOOLS = (
    '<button type="button" class="wb-editor-button" data-wb-copy="#api-code code" title="Copy the code">'
    '<i class="wb-i-copy"></i><span>Copy</span></button>'
    '<button type="button" class="wb-editor-button" data-wb-download="#api-code" title="Download the code" '
    'aria-label="Download the code"><i class="wb-i-download"></i></button>'
)


def build_api_view() -> ApiView:
    """The editor with its bar, and the help beneath it."""
    with gr.Column(elem_id="wb-api", elem_classes="wb-only-api"):
        message = gr.Textbox(
            value=DEFAULT_MESSAGE, label="Message", lines=2, max_lines=2, elem_id="api-message",
            elem_classes="wb-field",
        )  # fmt: skip
        markup(_SHOWING, elem_id="api-showing")
        with gr.Column(elem_id="wb-editor"):
            with gr.Row(elem_classes="wb-editor-bar"):
                language = gr.Dropdown(
                    [(language.label, name) for name, language in LANGUAGES.items()], value=DEFAULT_LANGUAGE,
                    label="Language", show_label=False, container=False, elem_id="api-language", scale=0,
                    min_width=130,
                )  # fmt: skip
                client = gr.Dropdown(
                    clients_of(DEFAULT_LANGUAGE), value=clients_of(DEFAULT_LANGUAGE)[0][1], label="Client",
                    show_label=False, container=False, elem_id="api-client", scale=0, min_width=110,
                )  # fmt: skip
                kind = gr.Dropdown(
                    _KINDS, value=CallKind.CHAT, label="Call", show_label=False, container=False, elem_id="api-kind",
                    scale=0, min_width=130,
                )  # fmt: skip
                is_streamed = _switch("Stream", "api-stream")
                has_key = _switch("Insert my key", "api-has-key")
                markup(_EDITOR_TOOLS, elem_id="api-code-tools")
            code = markup(elem_id="api-code")
        markup(_OWN_KEY, elem_id="api-key-entry")
        install = markup(elem_id="api-install")
        with gr.Row(elem_id="api-actions"):
            make_key = gr.Button(
                "Make a 24-hour key and copy a block that runs", variant="primary", elem_id="api-make-key"
            )
            run = gr.Button("Run & compare", elem_id="api-run")
        key_notice = markup(elem_id="api-key-notice")
        block = markup(elem_id="api-block")
        run_result = markup(elem_id="api-run-result")
        markup(_HELP, elem_id="api-help")
        markup(_CALLS, elem_id="api-calls")
        with gr.Column(elem_id="api-elsewhere"):
            markup(_ELSEWHERE)
            elsewhere = markup(elem_id="api-elsewhere-calls")
        run_body, run_call, opened = (carrier() for _ in range(3))
        open_call = gr.Button("Open", elem_id="api-open-call", visible="hidden")
        timer = gr.Timer(ELSEWHERE_SECONDS, active=False)
    return ApiView(
        message, language, client, kind, is_streamed, has_key, code, install, make_key, block, key_notice, run,
        run_body, run_call, run_result, opened, open_call, elsewhere, timer,
    )  # fmt: skip


def _switch(label: str, element: str) -> gr.Checkbox:
    return gr.Checkbox(False, label=label, container=False, elem_id=element, scale=0, min_width=90)
