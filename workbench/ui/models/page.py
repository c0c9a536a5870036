"""The Models page, put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from workbench.model_desk import ModelDesk
from workbench.ui.context import PageContext
from workbench.ui.models.events import ModelsEvents
from workbench.ui.models.parts import ModelsPage, build_models_parts


def build_models_page(context: PageContext) -> None:
    """What is here, adding a model, and what else would fit."""
    page = build_models_parts()
    events = ModelsEvents(page, ModelDesk(context.workbench), context.workbench, context.caller_of)
    _bind(context, page, events)


def _bind(context: PageContext, page: ModelsPage, events: ModelsEvents) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    here, form = page.here, page.form
    listed = [here.table, here.chosen, here.remove]
    opened = [*listed, page.fitting, page.offer, form.card, form.for_members]
    watched = [page.loading, page.timer, form.notice, *listed]

    async def turn_page(request: gr.Request) -> AsyncGenerator[Any, None]:
        async with aclosing(events.opened(request)) as updates:
            async for update in updates:
                yield update

    context.tab.select(turn_page, None, [*opened, here.notice], **quiet)
    form.check.click(events.check, list(form.inputs), [form.found, form.notice], **quiet)
    form.add.click(events.add, list(form.inputs), [form.found, *watched], trigger_mode="once", **quiet)
    page.timer.tick(events.tick, [page.loading], [*watched, page.fitting, page.offer], **quiet)
    here.chosen.input(events.choose, [here.chosen], [here.remove], **quiet)
    here.remove.click(events.remove, [here.chosen], [here.notice, *listed], **quiet)
    page.offer.input(events.take, [page.offer], [form.inputs[0], form.inputs[4]], **quiet)
    if context.menus.chat is not None:
        talked_to = [context.menus.chat.region, context.menus.chat.model]
        here.chat.click(events.chat, [here.chosen], talked_to, **quiet).then(
            None, None, None, js="() => wb.openPage('serverless')", **quiet
        )
