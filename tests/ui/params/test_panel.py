from __future__ import annotations

import json
from html import unescape

import gradio as gr
import pytest

from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.errors import InvalidRequest
from workbench.core.params import PANEL_PARAMS, PARAMS, Control, GenerationParams
from workbench.ui.params.panel import (
    ParamsPanel,
    build_params_panel,
    facts_html,
    help_text,
    panel_defaults,
    params_from,
)

CARD = ModelCard("a/model", "nowhere", panel_max_tokens=256)


@pytest.fixture(scope="module")
def panel() -> ParamsPanel:
    with gr.Blocks():
        return build_params_panel("test", CARD)


def test_every_row_of_the_table_is_a_control_in_the_tables_order(panel: ParamsPanel) -> None:
    assert list(panel.controls) == [spec.name for spec in PANEL_PARAMS]
    for spec in PANEL_PARAMS:
        control = panel.controls[spec.name]
        assert control.label == spec.label
        assert control.info.startswith(spec.description)
        if spec.control is Control.SLIDER:
            assert (control.minimum, control.maximum, control.step) == (spec.low, spec.panel_high, spec.step)


def test_the_help_of_a_number_ends_with_its_range() -> None:
    assert help_text(PARAMS["temperature"]).endswith(" From 0 to 2; empty is not set.")
    assert help_text(PARAMS["presence_penalty"]).endswith(" From -2 to 2; empty is not set.")
    assert help_text(PARAMS["max_tokens"]).endswith(
        " From 0 to 4,096 here, more over the API; empty is not set."
    )
    assert help_text(PARAMS["stop"]) == PARAMS["stop"].description


def test_the_panel_starts_at_the_tables_panel_column_with_the_models_max_tokens(panel: ParamsPanel) -> None:
    starts = {name: control.value for name, control in panel.controls.items()}
    assert starts == panel_defaults(CARD)
    assert starts["max_tokens"] == 256
    assert panel_defaults(ModelCard("b", "nowhere"))["max_tokens"] == 2000
    assert starts["temperature"] == 0.7


def test_the_values_of_the_controls_are_the_request(panel: ParamsPanel) -> None:
    settings = panel.settings(["Be brief", 0, 64.0, 0.5, 40.0, "END\n###", -0.5, 0, "", "", False, ""])
    assert settings.system == "Be brief"
    assert settings.params == GenerationParams(
        temperature=0.0, max_tokens=64, top_p=0.5, top_k=40, stop=["END", "###"], presence_penalty=-0.5,
        frequency_penalty=0.0,
    )  # fmt: skip


def test_raw_settings_win_over_the_sliders(panel: ParamsPanel) -> None:
    raw = '{"temperature": 0, "seed": 7, "chat_template_kwargs": {"a": 1}}'
    settings = panel.settings(["", 0.7, 64, None, None, "", None, None, "", "", False, raw])
    assert settings.params == GenerationParams(temperature=0, max_tokens=64, seed=7)
    assert settings.options.raw.template_kwargs == {"a": 1}


def test_the_script_is_told_what_the_model_ignores_and_lacks_once_it_is_known() -> None:
    info = ModelInfo(8, "?", "f", features=frozenset({"tools"}), ignored_params=frozenset({"top_k"}))
    assert "ignored" not in facts_html(CARD)
    told = json.loads(unescape(facts_html(CARD, info).split('data-facts="')[1].split('"')[0]))
    assert (told["ignored"], told["lacks"]) == (["top_k"], ["schema-drawer", "logprobs"])
    assert told["values"]["max_tokens"] == 256


def test_an_empty_control_is_not_set() -> None:
    assert params_from({"temperature": None, "stop": "", "max_tokens": None}) == GenerationParams()


def test_zero_is_a_value() -> None:
    assert params_from({"temperature": 0, "top_k": 0}).set_fields() == {"temperature": 0.0, "top_k": 0}


@pytest.mark.parametrize(("name", "value", "label"), [("temperature", 9, "Temperature"), ("top_p", -1, "Top P"),
                                                      ("stop", "a\nb\nc\nd\ne", "Stop")])  # fmt: skip
def test_a_value_out_of_range_is_refused_by_name(name: str, value: object, label: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{label}: ") as refused:
        params_from({name: value})
    assert refused.value.param == name
