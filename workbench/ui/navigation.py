"""The sidebar: a link to every page there is, the colour scheme, and a way to fold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from workbench.ui.assets import icon
from workbench.ui.markup import markup


@dataclass(frozen=True, slots=True)
class Page:
    """One entry: `name` is its tab's id and its address after the #."""

    name: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry that leaves the page."""

    label: str
    icon: str
    href: str


_KEYS = (
    (("Enter",), "Send the message"),
    (("Shift", "Enter"), "Begin a new line"),
    (("Esc",), "Stop the answer; close a menu or a drawer"),
    (("/",), "Write a message"),
    (("Ctrl", "K"), "Choose a model"),
    (("?",), "Show these keys"),
)


def build_navigation(pages: Sequence[Page], links: Sequence[Link] = (), *, first: str) -> gr.HTML:
    """The sidebar's markup; js/shell.js makes its links open the tabs. `first` is the page of a bare address."""
    items = "".join(_page_item(page) for page in pages) + "".join(_link_item(link) for link in links)
    html = (
        f'<a class="wb-skip" href="#main-content">Skip to the page</a>'
        f'<div class="wb-topbar"><button type="button" class="wb-icon-button" data-wb="menu" '
        f'aria-label="Open the menu" aria-expanded="false" aria-controls="wb-rail">{icon("menu")}</button>'
        f'<span class="wb-brand">{icon("mark")}<span>Workbench</span></span></div>'
        f'<div class="wb-scrim" data-wb="close-drawers"></div>'
        f'<nav id="wb-rail" class="wb-rail" aria-label="Pages" data-first="{escape(first)}">'
        f'<div class="wb-rail-head"><span class="wb-brand">{icon("mark")}<span>Workbench</span></span>'
        f'<button type="button" class="wb-icon-button" data-wb="fold" aria-label="Fold the sidebar" '
        f'aria-expanded="true">{icon("collapse")}</button></div>'
        f"<ul>{items}</ul>"
        f'<div class="wb-rail-foot"><button type="button" class="wb-nav-item wb-nav-keys" data-wb="keys" '
        f'aria-haspopup="dialog" title="Keyboard">{icon("keyboard")}<span class="wb-nav-label">Keyboard</span></button>'
        f'<button type="button" class="wb-nav-item" data-wb="scheme" '
        f'aria-label="Change between light and dark"><span class="wb-when-light">{icon("moon")}</span>'
        f'<span class="wb-when-dark">{icon("sun")}</span><span class="wb-nav-label wb-when-light">Dark</span>'
        f'<span class="wb-nav-label wb-when-dark">Light</span></button></div></nav>{_keys()}'
    )
    return markup(html, elem_id="wb-navigation")


def _page_item(page: Page) -> str:
    return (
        f'<li><a class="wb-nav-item" href="#{escape(page.name)}" data-page="{escape(page.name)}" '
        f'title="{escape(page.label)}">{icon(page.icon)}<span class="wb-nav-label">{escape(page.label)}</span>'
        f"</a></li>"
    )


def _link_item(link: Link) -> str:
    return (
        f'<li><a class="wb-nav-item" href="{escape(link.href)}" title="{escape(link.label)}">'
        f'{icon(link.icon)}<span class="wb-nav-label">{escape(link.label)}</span></a></li>'
    )


def _keys() -> str:
    """The keys that do something everywhere, in a dialog that js/shell.js opens."""
    rows = "".join(
        f"<div><dt>{''.join(f'<kbd>{escape(key)}</kbd>' for key in keys)}</dt><dd>{escape(text)}</dd></div>"
        for keys, text in _KEYS
    )
    return (
        '<dialog id="wb-keys" class="wb-dialog" aria-labelledby="wb-keys-title"><form method="dialog">'
        '<h2 id="wb-keys-title">Keyboard</h2><button class="wb-icon-button" aria-label="Close">&times;</button></form>'
        f"<dl>{rows}</dl></dialog>"
    )
