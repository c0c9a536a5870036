"""The Home page: brought up to date while it is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr

from workbench.core.caller import Caller
from workbench.core.errors import Unavailable
from workbench.service import Workbench
from workbench.ui.context import PageContext
from workbench.ui.home.view import DAYS_SHOWN, HomeFacts, home_html
from workbench.ui.markup import markup, title_html

REFRESH_SECONDS = 3.0
EXPERIMENTS_SHOWN = 5

_HEADER = title_html(
    "Home",
    "Is an open model good, fast, safe and cheap enough for what you build? Find out here.",
)


def build_home_page(context: PageContext) -> None:
    """Header and cards. The timer runs only while the page is open."""
    with gr.Column(elem_id="wb-home", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        content = markup(elem_id="wb-home-cards")
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    async def show(request: gr.Request) -> str:
        return home_html(await home_facts(context.workbench, context.caller_of(request)))

    async def turn_page(request: gr.Request, chosen: gr.SelectData) -> tuple[Any, gr.Timer]:
        """The cards when this page is opened; a sleeping timer when it is left."""
        if not context.is_opened_by(chosen):
            return gr.skip(), gr.Timer(active=False)
        return await show(request), gr.Timer(active=True)

    context.tabs.select(turn_page, None, [content, timer], **quiet)
    timer.tick(show, None, [content], **quiet)


async def home_facts(workbench: Workbench, caller: Caller) -> HomeFacts:
    """What the page shows to this caller. A server without a store has no use and no experiments to show."""
    today = datetime.now(UTC).date()
    try:
        store = workbench.store
    except Unavailable:
        return HomeFacts(workbench.models(caller), workbench.load(), (), (), today)
    since = today - timedelta(days=DAYS_SHOWN - 1)
    use = await store.usage.by_day(since, account=caller.account)
    experiments = await store.experiments.list(caller.account)
    newest = sorted(experiments, key=lambda entry: entry.begun_at, reverse=True)[:EXPERIMENTS_SHOWN]
    return HomeFacts(workbench.models(caller), workbench.load(), use, newest, today)
