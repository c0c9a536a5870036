"""Generated code: the very request the page sends, as Python, JavaScript or curl that runs.

Covered: chat completions, completions and the guarded pipeline, streamed or not. Every value passes through
`snippets.literals`; the code sends exactly `wire_body(request)`.
"""

from snippets.languages import LANGUAGES, Client, Language
from snippets.render import Snippet, render
from snippets.request import (
    KEY_VARIABLE,
    Endpoint,
    Moderation,
    ModerationMode,
    ModerationSide,
    SnippetRequest,
)
from snippets.sent import SentRequest
from snippets.terminal import terminal_block
from snippets.wire import wire_body

__all__ = [
    "KEY_VARIABLE",
    "LANGUAGES",
    "Client",
    "Endpoint",
    "Language",
    "Moderation",
    "ModerationMode",
    "ModerationSide",
    "SentRequest",
    "Snippet",
    "SnippetRequest",
    "render",
    "terminal_block",
    "wire_body",
]
