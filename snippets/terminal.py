"""A snippet with everything around it: one block to paste into a terminal, where it runs as it is."""

from __future__ import annotations

from dataclasses import replace

from snippets.languages import LANGUAGES
from snippets.literals import heredoc, shell_word
from snippets.render import render
from snippets.request import KEY_VARIABLE, SnippetRequest
from snippets.sent import SentRequest


def terminal_block(request: SnippetRequest | SentRequest, language: str, client: str | None = None) -> str:
    """Lines for a POSIX shell that export the request's key, install the client library and run the snippet.

    The code reads the key from the environment; without a key in `request` the variable must be set already.
    Raises: KeyError for a language or client that the table does not have.
    """
    spec = LANGUAGES[language]
    snippet = render(replace(request, key=None), language, client)
    code = snippet.code.removesuffix("\n")
    lines = []
    if request.key is not None:
        lines.append(f"export {KEY_VARIABLE}={shell_word(request.key)}")
    if snippet.install_line is not None:
        lines.append(snippet.install_line)
    lines.append(code if spec.stdin_line is None else f"{spec.stdin_line} {heredoc(code)}")
    return "\n".join(lines) + "\n"
