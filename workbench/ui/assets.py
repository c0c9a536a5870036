"""The page's own files: style sheets, scripts, icons and fonts, served by this host and nothing else.

The sheets go to the browser as one file and the scripts as another: each would otherwise cost a first visit a request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

ROUTE = "/ui"
"""Not /assets or /static: those are Gradio's own."""
STYLE_SHEETS = (
    "tokens",
    "shell",
    "controls",
    "chat",
    "panel",
    "code",
    "pages",
    "account",
    "forms",
    "lab",
    "phone",
)
SCRIPTS = (
    "shell",
    "connection",
    "clipboard",
    "chat",
    "conversation",
    "tokens",
    "panel",
    "calls",
    "own_key",
    "password",
)


def _folder() -> Traversable:
    return resources.files("assets").joinpath("ui")


def folder() -> Path:
    """Where the files lie, for the static route. The package is installed unpacked, so this is a real path."""
    return Path(str(_folder()))


@cache
def icon(name: str) -> str:
    """The icon as inline SVG, hidden from screen readers: its button or link carries the name.

    Raises: FileNotFoundError for an unknown icon.
    """
    svg = _folder().joinpath("icons", f"{name}.svg").read_text("utf-8").strip()
    return svg.replace("<svg ", '<svg class="wb-icon" aria-hidden="true" focusable="false" ', 1)


_SHEET, _SCRIPT = "css/page.css", "js/page.js"
_ICON = re.compile(r'url\("\.\./icons/([\w-]+)\.svg"\)')


@cache
def written() -> dict[str, bytes]:
    """The two files that are put together here, by the names they have under ROUTE."""
    sheets = "\n".join(_folder().joinpath("css", f"{name}.css").read_text("utf-8") for name in STYLE_SHEETS)
    scripts = "\n".join(_folder().joinpath("js", f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return {_SHEET: _ICON.sub(_inline, sheets).encode(), _SCRIPT: scripts.encode()}


_TEXT = re.compile(r'\bwb\.text\("((?:[^"\\]|\\.)*)"')


@cache
def script_texts() -> tuple[str, ...]:
    """What the scripts say to people: each text that they ask `wb.text` for, as it is written in English."""
    return tuple(
        dict.fromkeys(json.loads(f'"{text}"') for text in _TEXT.findall(written()[_SCRIPT].decode()))
    )


def _inline(found: re.Match[str]) -> str:
    svg = _folder().joinpath("icons", f"{found[1]}.svg").read_bytes()
    return f'url("data:image/svg+xml;base64,{base64.b64encode(svg).decode()}")'


def _address(name: str) -> str:
    """Relative, so that a path prefix works. It changes with the content: a browser may keep the file for ever."""
    return f"{ROUTE.lstrip('/')}/{name}?v={hashlib.sha256(written()[name]).hexdigest()[:10]}"


def head_html() -> str:
    """What Gradio puts into the page's <head> when it builds the page, after its own sheets."""
    return (
        f'<link rel="stylesheet" href="{_address(_SHEET)}">\n<script defer src="{_address(_SCRIPT)}"></script>\n'
        '<meta name="color-scheme" content="light dark">'
    )


def links() -> str:
    """Markup that has the browser fetch both files before Gradio asks for them."""
    return (
        f'<link rel="preload" as="style" href="{_address(_SHEET)}">'
        f'<link rel="preload" as="script" href="{_address(_SCRIPT)}">'
    )
