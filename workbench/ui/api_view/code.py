"""The panel's request as code: what the API view's editor shows, copies and downloads."""

from __future__ import annotations

from enum import StrEnum
from html import escape

from snippets import KEY_VARIABLE, LANGUAGES, Moderation, SentRequest, SnippetRequest, render, terminal_block
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Role, TextPrompt
from workbench.core.errors import UnsupportedParameter
from workbench.ui.code_block import code_html
from workbench.ui.params.panel import PanelSettings

DEFAULT_LANGUAGE = next(iter(LANGUAGES))
DEFAULT_MESSAGE = "Say hello in one sentence."
KEY_PLACEHOLDER = "wb-your-key"
"""Stands in the code for the reader's own key, which js/own_key.js puts in: the server never sees it."""


class CallKind(StrEnum):
    """What the code does: a chat completion, a completion, or a chat completion checked on both sides."""

    CHAT = "chat"
    COMPLETION = "completion"
    GUARDED = "guarded"


def clients_of(language: str) -> list[tuple[str, str]]:
    """(label, name) of the language's client libraries."""
    return [(client.label, client.name) for client in LANGUAGES[language].clients]


def snippet_request(
    model: str,
    settings: PanelSettings,
    message: str,
    base_url: str,
    *,
    kind: CallKind = CallKind.CHAT,
    is_streamed: bool = False,
    key: str | None = None,
    moderation: Moderation | None = None,
    guard: str | None = None,
) -> SnippetRequest:
    """What the API view shows: one user message, or a text to go on from, under the API settings.

    `guard` is the one a guarded pipeline asks; None leaves it to the server.
    Raises: UnsupportedParameter for a setting that this kind of call cannot carry.
    """
    options = settings.options
    generation = GenerationRequest(
        model,
        _text_prompt(settings, message) if kind is CallKind.COMPLETION else _chat_prompt(settings, message),
        settings.params,
        logprobs=options.logprobs,
        output_format=options.output_format,
    )
    return SnippetRequest(
        generation, base_url, is_streamed=is_streamed, key=key, moderation=moderation,
        is_guarded=kind is CallKind.GUARDED, guard=guard if kind is CallKind.GUARDED else None,
    )  # fmt: skip


def _chat_prompt(settings: PanelSettings, message: str) -> ChatPrompt:
    said = [Message(Role.SYSTEM, settings.system)] if settings.system.strip() else []
    said.append(Message(Role.USER, message or DEFAULT_MESSAGE))
    options = settings.options
    return ChatPrompt(tuple(said), tools=options.tools, template_kwargs=options.raw.template_kwargs)


def _text_prompt(settings: PanelSettings, message: str) -> TextPrompt:
    options = settings.options
    unsendable = {
        "system prompt": settings.system.strip(),
        "tools": options.tools,
        "chat template": options.raw.template_kwargs,
    }
    for what, is_set in unsendable.items():
        if is_set:
            raise UnsupportedParameter(f"A completion carries no {what}. Empty it, or choose Chat.")
    return TextPrompt(message or DEFAULT_MESSAGE)


def snippet_html(request: SnippetRequest | SentRequest, language: str, client: str | None) -> tuple[str, str]:
    """The editor's content, and the install line beneath it."""
    snippet = render(request, language, _known_client(language, client))
    code = code_html(
        snippet.code, snippet.editor_language, name="The request as code", file=snippet.file_name
    )
    return code, install_html(snippet.install_line, has_key=request.key is not None)


def _known_client(language: str, client: str | None) -> str | None:
    """`client`, or None while the list still shows another language's clients."""
    return client if client in [name for _, name in clients_of(language)] else None


def install_html(install_line: str | None, *, has_key: bool = False) -> str:
    """What has to be in place before the snippet runs; "" when that is nothing."""
    steps = [] if install_line is None else [install_line]
    if not has_key:
        steps.append(f"export {KEY_VARIABLE}=…")
    if not steps:
        return ""
    lines = "".join(f"<code>{escape(step)}</code>" for step in steps)
    return f'<div class="wb-install"><span>Before the first run</span>{lines}</div>'


def key_block(request: SnippetRequest | SentRequest, language: str, client: str | None) -> str:
    """A block for a terminal that exports the request's key, installs the client and runs the snippet."""
    return terminal_block(request, language, _known_client(language, client))
