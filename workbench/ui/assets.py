"""The page's own files: style sheets, script, icons and fonts, served by this host and nothing else."""

from __future__ import annotations

import hashlib
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
SCRIPTS = ("shell", "clipboard", "chat", "conversation", "tokens", "panel", "calls", "own_key", "password")


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


@cache
def _version(path: str) -> str:
    return hashlib.sha256(_folder().joinpath(*path.split("/")).read_bytes()).hexdigest()[:10]


def head_html() -> str:
    """What goes into the page's <head>: links to sheets and scripts, relative, so that a path prefix works.

    A sheet's address changes with its content: a browser may keep it for ever.
    """
    base = ROUTE.lstrip("/")
    sheets = [f"css/{name}.css" for name in STYLE_SHEETS]
    scripts = [f"js/{name}.js" for name in SCRIPTS]
    tags = [f'<link rel="stylesheet" href="{base}/{path}?v={_version(path)}">' for path in sheets]
    tags += [f'<script defer src="{base}/{path}?v={_version(path)}"></script>' for path in scripts]
    tags.append('<meta name="color-scheme" content="light dark">')
    return "\n".join(tags)
