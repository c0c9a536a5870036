"""What happens when the region, the model or the view changes, and while a model loads."""

from __future__ import annotations

from typing import Any

import gradio as gr

from workbench.core.backend import ModelState
from workbench.core.errors import ModelNotFound
from workbench.service import Workbench
from workbench.ui.identity import CallerOf
from workbench.ui.model_header import model_header_html
from workbench.ui.params.panel import ParamsPanel, facts_html, panel_defaults
from workbench.ui.serverless.config_panel import ADD, REQUEST, ConfigPanel, model_choices

LOADING_POLL_SECONDS = 0.5
_COPY = (
    "(...values) => values.map((value, place) => (place >= {settings} && value === 'shadow' ? 'off' : value))"
)
"""A request cannot ask for shadow screening, which shows nothing."""


def bind_config(
    ui: gr.Blocks, header: gr.HTML, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf
) -> None:
    """Connects the panel. The timer runs only while a model is on its way into memory."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    timer = gr.Timer(LOADING_POLL_SECONDS)

    facts = [config.ui.facts, config.api.facts]

    def look(request: gr.Request, model: str) -> tuple[Any, ...]:
        """The header, whether to look again, and what each view must know of the model; nothing of one that is gone."""
        try:
            status = workbench.model(model, caller_of(request))
        except ModelNotFound:
            return gr.skip(), gr.Timer(active=False), gr.skip(), gr.skip()
        known = facts_html(status.card, status.info)
        return model_header_html(status), gr.Timer(active=status.state is ModelState.LOADING), known, known

    def choose_region(request: gr.Request, region: str) -> gr.Dropdown:
        caller = caller_of(request)
        choices = model_choices(workbench.models(caller), region, is_operator=caller.is_admin)
        return gr.Dropdown(choices, value=choices[0][1])

    def choose_model(request: gr.Request, model: str) -> tuple[Any, ...]:
        """The header, and each view's max tokens as the model likes it: no other setting is touched."""
        if model in (ADD[1], REQUEST[1]):  # the browser opens that page, and chooses the model again
            return (gr.skip(),) * 6
        wanted = panel_defaults(workbench.model(model, caller_of(request)).card)["max_tokens"]
        return (*look(request, model), wanted, wanted)

    timer.tick(look, [config.model], [header, timer, *facts], **quiet)
    ui.load(look, [config.model], [header, timer, *facts], **quiet)
    config.region.input(choose_region, [config.region], [config.model], **quiet)
    config.model.change(
        choose_model, [config.model],
        [header, timer, *facts, config.ui.controls["max_tokens"], config.api.controls["max_tokens"]], **quiet,
    )  # fmt: skip
    config.model.input(None, [config.model], [config.model], js="(model) => wb.chooseModel(model)", **quiet)
    config.view.input(None, [config.view], None, js="(view) => wb.showView(view)", **quiet)
    for panel in (config.ui, config.api):
        _bind_reset(panel, config, workbench, caller_of)
    config.copy_to_api.click(
        None,
        [*config.ui.inputs, *config.guard.inputs],
        [*config.api.inputs, *config.api_guard.inputs],
        js=_COPY.format(settings=len(config.ui.inputs)),
        **quiet,
    )


def _bind_reset(panel: ParamsPanel, config: ConfigPanel, workbench: Workbench, caller_of: CallerOf) -> None:
    def reset(request: gr.Request, model: str) -> list[Any]:
        defaults = panel_defaults(workbench.model(model, caller_of(request)).card)
        return [defaults[name] for name in panel.controls]

    panel.reset.click(
        reset, [config.model], list(panel.controls.values()), show_progress="hidden", api_visibility="private"
    )
