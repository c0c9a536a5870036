"""The Serverless page: talk to a model, or read the code that does."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from workbench.backends.pool import ModelStatus
from workbench.core.caller import LOCAL_USER, Caller
from workbench.ui.api_view.events import bind_api_view
from workbench.ui.api_view.view import build_api_view
from workbench.ui.assets import icon
from workbench.ui.context import PageContext
from workbench.ui.markup import markup
from workbench.ui.model_header import model_header_html
from workbench.ui.serverless.chat_area import build_chat_area
from workbench.ui.serverless.chat_events import bind_chat
from workbench.ui.serverless.config_events import bind_config
from workbench.ui.serverless.config_panel import build_config_panel, model_choices, regions
from workbench.ui.thread.session import SECONDS_KEPT, ChatSession

_TOGGLE = (
    '<button type="button" class="wb-icon-button" data-wb="config" aria-label="Configuration" '
    'aria-expanded="true" aria-controls="wb-config">{icon}</button>'
)


def build_serverless_page(context: PageContext) -> None:
    """Header, chat or code, and the configuration panel on the right."""
    ui, workbench, caller_of = context.ui, context.workbench, context.caller_of
    card = workbench.catalogue.default
    session = gr.State(ChatSession(), time_to_live=SECONDS_KEPT)
    with gr.Row(elem_classes="wb-page", elem_id="wb-serverless"):
        with gr.Column(elem_classes="wb-main", elem_id="main-content"):
            with gr.Row(elem_classes="wb-header"):
                header = markup(
                    model_header_html(workbench.model(card.id, LOCAL_USER)), elem_id="wb-model-header"
                )
                markup(_TOGGLE.format(icon=icon("sliders")), elem_id="wb-config-toggle")
            area = build_chat_area()
            view = build_api_view()
        config = build_config_panel(workbench.models(LOCAL_USER), card, workbench.guards)
    context.menus.chat = config
    context.menus.add(
        config.region, lambda models, _value, _caller: [(name, name) for name in regions(models)]
    )
    context.menus.add(config.model, _models_beside)
    bind_chat(session, header, area, config, workbench, caller_of)
    bind_config(ui, header, config, workbench, caller_of)
    bind_api_view(ui, view, config, workbench, caller_of)


def _models_beside(models: Sequence[ModelStatus], model: str, caller: Caller) -> list[tuple[str, str]]:
    """The models of the region that this one is in; of the first region, when it is gone."""
    region = next((status.card.region for status in models if status.card.id == model), regions(models)[0])
    return model_choices(models, region, is_operator=caller.is_admin)
