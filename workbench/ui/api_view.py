"""View = API: the panel's request as code, and what to do when a key is refused."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from snippets import KEY_VARIABLE, LANGUAGES, SnippetRequest, render, terminal_block
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Role
from workbench.ui.code_block import code_html
from workbench.ui.markup import markup
from workbench.ui.params_panel import PanelSettings

DEFAULT_LANGUAGE = next(iter(LANGUAGES))
DEFAULT_MESSAGE = "Say hello in one sentence."
TRIAL_KEY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ApiView:
    """The view's parts. `run_body` and `run_call` are hidden: what the browser sends, and what it got."""

    message: gr.Textbox
    language: gr.Dropdown
    client: gr.Dropdown
    is_streamed: gr.Checkbox
    code: gr.HTML
    install: gr.HTML
    make_key: gr.Button
    block: gr.HTML
    key_notice: gr.HTML
    run: gr.Button
    run_body: gr.Textbox
    run_call: gr.Textbox
    run_result: gr.HTML


def clients_of(language: str) -> list[tuple[str, str]]:
    """(label, name) of the language's client libraries."""
    return [(client.label, client.name) for client in LANGUAGES[language].clients]


def snippet_request(
    model: str,
    settings: PanelSettings,
    message: str,
    base_url: str,
    *,
    is_streamed: bool,
    key: str | None = None,
) -> SnippetRequest:
    """What the API view shows: one user message under the API settings."""
    said = [Message(Role.SYSTEM, settings.system)] if settings.system.strip() else []
    said.append(Message(Role.USER, message or DEFAULT_MESSAGE))
    options = settings.options
    generation = GenerationRequest(
        model,
        ChatPrompt(tuple(said), tools=options.tools),
        settings.params,
        logprobs=options.logprobs,
        output_format=options.output_format,
    )
    return SnippetRequest(generation, base_url, is_streamed=is_streamed, key=key)


def snippet_html(request: SnippetRequest, language: str, client: str | None) -> tuple[str, str]:
    """The editor's content, and the install line beneath it."""
    snippet = render(request, language, _known_client(language, client))
    code = code_html(
        snippet.code, snippet.editor_language, name="The request as code", file=snippet.file_name
    )
    return code, install_html(snippet.install_line)


def _known_client(language: str, client: str | None) -> str | None:
    """`client`, or None while the list still shows another language's clients."""
    return client if client in [name for _, name in clients_of(language)] else None


def install_html(install_line: str | None) -> str:
    """What has to be in place before the snippet runs."""
    steps = (
        [f"export {KEY_VARIABLE}=…"] if install_line is None else [install_line, f"export {KEY_VARIABLE}=…"]
    )
    lines = "".join(f"<code>{escape(step)}</code>" for step in steps)
    return f'<div class="wb-install"><span>Before the first run</span>{lines}</div>'


def key_block(request: SnippetRequest, language: str, client: str | None) -> str:
    """A block for a terminal that exports the request's key, installs the client and runs the snippet."""
    return terminal_block(request, language, _known_client(language, client))


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


_CALLS = '<div hidden><h3>Calls of this tab</h3><div class="wb-calls-list" data-calls></div></div>'
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
            value=DEFAULT_MESSAGE, label="Message", lines=1, max_lines=6, elem_id="api-message",
            elem_classes="wb-field",
        )  # fmt: skip
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
                is_streamed = gr.Checkbox(False, label="Stream", container=False, elem_id="api-stream", scale=0,
                                          min_width=90)  # fmt: skip
                markup(_EDITOR_TOOLS, elem_id="api-code-tools")
            code = markup(elem_id="api-code")
        install = markup(elem_id="api-install")
        with gr.Row(elem_id="api-actions"):
            make_key = gr.Button(
                "Make a 24-hour key and copy a block that runs", variant="primary", elem_id="api-make-key"
            )
            run = gr.Button("Run & compare", elem_id="api-run")
        key_notice = markup(elem_id="api-key-notice")
        block = markup(elem_id="api-block")
        run_result = markup(elem_id="api-run-result")
        markup(_CALLS, elem_id="api-calls")
        markup(_HELP, elem_id="api-help")
        run_body, run_call = gr.Textbox(visible="hidden"), gr.Textbox(visible="hidden")
    return ApiView(
        message, language, client, is_streamed, code, install, make_key, block, key_notice, run, run_body, run_call,
        run_result,
    )  # fmt: skip
