"""The right-hand panel of the Serverless page: region, model, view, then each view's own settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelCard
from workbench.screening import Guards
from workbench.ui.markup import markup
from workbench.ui.params.panel import ParamsPanel, build_params_panel
from workbench.ui.params.presets import presets_html
from workbench.ui.serverless.guard_panel import GuardPanel, build_guard_panel

UI_VIEW, API_VIEW = "UI", "API"

REQUEST, ADD = ("+ Request a model", "+requests"), ("+ Add a model", "+models")
"""The last choices among the models: they open the page after their plus (js/panel.js)."""

_HEAD = (
    '<div class="wb-panel-head"><h2>Configuration</h2>{presets}<button type="button" class="wb-icon-button" '
    'data-wb="close-drawers" aria-label="Close the configuration">&times;</button></div>'
)


@dataclass(frozen=True, slots=True)
class ConfigPanel:
    """The panel's parts. `ui` and `api` are two sets of settings; changing one never changes the other."""

    region: gr.Dropdown
    model: gr.Dropdown
    view: gr.Radio
    ui: ParamsPanel
    guard: GuardPanel
    api: ParamsPanel
    api_guard: GuardPanel
    copy_to_api: gr.Button


def regions(models: Sequence[ModelStatus]) -> list[str]:
    """Where the models run, in the catalogue's order."""
    return list(dict.fromkeys(status.card.region for status in models))


def models_in(models: Sequence[ModelStatus], region: str) -> list[tuple[str, str]]:
    """(label, id) of the region's models."""
    return [(status.card.id.rpartition("/")[2], status.card.id) for status in models
            if status.card.region == region]  # fmt: skip


def model_choices(models: Sequence[ModelStatus], region: str, *, is_operator: bool) -> list[tuple[str, str]]:
    """The region's models, and the ways to more."""
    return [*models_in(models, region), *([ADD] if is_operator else []), REQUEST]


def build_config_panel(models: Sequence[ModelStatus], card: ModelCard, guards: Guards) -> ConfigPanel:
    """The panel in the order people know: region, model, view, system prompt, sampling, stop."""
    with gr.Column(elem_id="wb-config", elem_classes="wb-panel"):
        markup(_HEAD.format(presets=presets_html()), elem_id="wb-config-head")
        region = gr.Dropdown(
            regions(models), value=card.region, label="Region", info="Where the model runs.",
            elem_id="wb-region", elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
        model = gr.Dropdown(
            model_choices(models, card.region, is_operator=True), value=card.id, label="Model", elem_id="wb-model",
            elem_classes="wb-field",
        )  # fmt: skip
        view = gr.Radio(
            [UI_VIEW, API_VIEW], value=UI_VIEW, label="View", elem_id="wb-view", elem_classes="wb-segmented"
        )
        with gr.Column(elem_classes="wb-settings wb-only-ui"):
            ui = build_params_panel("ui", card)
            guard = build_guard_panel(guards)
        with gr.Column(elem_classes="wb-settings wb-only-api"):
            api = build_params_panel("api", card)
            api_guard = build_guard_panel(guards, "api")
            copy_to_api = gr.Button("Copy UI settings to API", size="sm", elem_id="api-from-ui",
                                    elem_classes="wb-quiet")  # fmt: skip
    return ConfigPanel(region, model, view, ui, guard, api, api_guard, copy_to_api)
