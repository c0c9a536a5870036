"""Source text as a dark, numbered, highlighted block. Its text content is the code, less the last line break."""

from __future__ import annotations

from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

_LEXERS = {"shell": "bash"}
_FORMATTER = HtmlFormatter(nowrap=True)


def code_html(code: str, language: str, *, name: str, file: str = "") -> str:
    """`code` as a block that a keyboard can scroll; `name` is for screen readers, `file` for a download."""
    lexer = get_lexer_by_name(_LEXERS.get(language, language), stripnl=False, ensurenl=False)
    lines = highlight(code.rstrip("\n"), lexer, _FORMATTER).rstrip("\n").split("\n")
    body = "\n".join(f'<span class="wb-line">{line}</span>' for line in lines)
    return (
        f'<pre class="wb-code" tabindex="0" role="region" aria-label="{escape(name)}">'
        f'<code data-file="{escape(file)}">{body}</code></pre>'
    )
