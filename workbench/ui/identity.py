"""Who a browser event acts for, and the address they reached this server by."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.settings import Settings

CallerOf = Callable[[gr.Request], Caller]
"""Gives the caller of an event; the access layer in front of the page has checked the session already."""


def local_user(request: gr.Request) -> Caller:
    """The one user of a server on loopback."""
    return LOCAL_USER


def api_address(request: gr.Request, settings: Settings) -> str:
    """The API's root as this browser would reach it, for snippets: the public address where there is one."""
    if settings.public_url:
        return f"{settings.base_url}/openai/v1"
    url = request.request.url
    return f"{url.scheme}://{url.netloc}{settings.root_path.rstrip('/')}/openai/v1"
