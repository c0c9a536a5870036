"""The configuration panel's sliders, generated from the one parameter table (core/params.py)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr
from pydantic import ValidationError

from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.errors import InvalidRequest
from workbench.core.params import PANEL_PARAMS, PARAMS, Control, GenerationParams, ParamSpec
from workbench.ui.markup import markup
from workbench.ui.params.presets import slider_names
from workbench.ui.params.request_options import Options, RequestOptions, build_request_options, read_options

SYSTEM_PLACEHOLDER = "You are a concise assistant."
STOP_PLACEHOLDER = "One a line, at most 4"


@dataclass(frozen=True, slots=True)
class ParamsPanel:
    """One view's settings: the system prompt and a control for every row of the table, by name.

    `facts` tells the browser what the chosen model likes and ignores.
    """

    system: gr.Textbox
    controls: Mapping[str, gr.Component]
    options: RequestOptions
    reset: gr.Button
    facts: gr.HTML

    @property
    def inputs(self) -> list[gr.Component]:
        """What an event must be given for `settings`: the system prompt, the controls, the options."""
        return [self.system, *self.controls.values(), *self.options.inputs]

    def settings(self, values: Sequence[Any], ignored: Collection[str] = ()) -> PanelSettings:
        """The values of `inputs`, checked, without those the model's endpoint ignores.

        Raises: InvalidRequest naming the setting at fault.
        """
        system, *rest = values
        count = len(self.controls)
        given = dict(zip(self.controls, rest[:count], strict=True))
        options = read_options(rest[count:])
        params = params_from({name: value for name, value in given.items() if name not in ignored})
        if options.raw.params:
            params = GenerationParams(**{**params.set_fields(), **options.raw.params})
        return PanelSettings(system or "", params, options)


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """What a panel says."""

    system: str = ""
    params: GenerationParams = field(default_factory=GenerationParams)
    options: Options = field(default_factory=Options)


def panel_defaults(card: ModelCard) -> dict[str, float | int | str | None]:
    """Where the model's sliders start: the table's panel column, with the model's own max tokens."""
    defaults: dict[str, float | int | str | None] = {}
    for spec in PANEL_PARAMS:
        defaults[spec.name] = "" if spec.control is Control.STRINGS else spec.panel_default
    if card.panel_max_tokens is not None:
        defaults["max_tokens"] = card.panel_max_tokens
    return defaults


def build_params_panel(prefix: str, card: ModelCard) -> ParamsPanel:
    """System prompt, sliders and reset; `prefix` keeps the views' element ids apart."""
    defaults = panel_defaults(card)
    system = gr.Textbox(
        label="System prompt", placeholder=SYSTEM_PLACEHOLDER, lines=3, max_lines=3,
        elem_id=f"{prefix}-system", elem_classes="wb-field",
    )  # fmt: skip
    controls = {spec.name: _control(prefix, spec, defaults[spec.name]) for spec in PANEL_PARAMS}
    options = build_request_options(prefix)
    reset = gr.Button(
        "Reset to model defaults", size="sm", elem_id=f"{prefix}-reset", elem_classes="wb-quiet"
    )
    shown = markup(facts_html(card), elem_id=f"{prefix}-defaults")
    return ParamsPanel(system, controls, options, reset, shown)


_NEEDED_FEATURES = {"schema-drawer": "json_schema", "tools-drawer": "tools", "logprobs": "logprobs"}
"""Part of the panel -> the feature without which the model's backend refuses it."""


def facts_html(card: ModelCard, info: ModelInfo | None = None) -> str:
    """What the script must know of the model: where the sliders start, what its endpoint ignores, and what it lacks.

    Nothing is greyed for a model of which nothing is known yet.
    """
    defaults = panel_defaults(card)
    facts: dict[str, Any] = {"values": {name: defaults[name] for name in slider_names()}}
    if info is not None:
        facts["ignored"] = sorted(info.ignored_params)
        facts["lacks"] = [part for part, feature in _NEEDED_FEATURES.items() if feature not in info.features]
    return f'<div hidden data-facts="{escape(json.dumps(facts))}"></div>'


def help_text(spec: ParamSpec) -> str:
    """What the parameter does, and its range; where the API's is wider than the slider's, both."""
    if spec.low is None or spec.panel_high is None:
        return spec.description
    if spec.high is None:
        return (
            f"{spec.description} From {spec.low:g} to {spec.panel_high:,g} here, more over the API; "
            "empty is not set."
        )
    return f"{spec.description} From {spec.low:g} to {spec.panel_high:,g}; empty is not set."


def _control(prefix: str, spec: ParamSpec, value: float | int | str | None) -> gr.Component:
    element = f"{prefix}-{spec.name.replace('_', '-')}"
    if spec.control is Control.STRINGS:
        return gr.Textbox(
            label=spec.label, info=spec.description, placeholder=STOP_PLACEHOLDER, value=value,
            lines=2, max_lines=2, elem_id=element, elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
    slider = gr.Slider(
        minimum=spec.low, maximum=spec.panel_high, step=spec.step, value=value, label=spec.label,
        info=help_text(spec), buttons=[], elem_id=element, elem_classes=["wb-slider", "wb-help"],
    )  # fmt: skip
    return _that_may_be_unset(slider)


def _that_may_be_unset(slider: gr.Slider) -> gr.Slider:
    """The slider, letting None through both ways: an emptied box means "not set", not the slider's minimum.

    Ranges are checked by the parameter table. Set on the instance, because Gradio writes a stub file beside every
    module that derives a component.
    """
    slider.preprocess = slider.postprocess = _as_it_is
    return slider


def _as_it_is(value: float | None) -> float | None:
    return value


def params_from(values: Mapping[str, Any]) -> GenerationParams:
    """The panel's values as parameters; an empty control is "not set".

    Raises: InvalidRequest naming the setting and its range.
    """
    given = {name: _value(PARAMS[name], value) for name, value in values.items()}
    try:
        return GenerationParams(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as failure:
        first = failure.errors()[0]
        name = str(first["loc"][0])
        raise InvalidRequest(f"{PARAMS[name].label}: {first['msg']}.", param=name) from None


def _value(spec: ParamSpec, value: Any) -> Any:
    """A control's value with the table's type. A whole number from a slider may arrive as 40.0."""
    if value is None or value == "":
        return None
    if spec.control is Control.STRINGS:
        # White space around a stop string is meant ("\n" cannot be typed on its own line, a blank can).
        return [line for line in str(value).split("\n") if line] or None
    if spec.is_integer:
        return int(value)
    return float(value)
