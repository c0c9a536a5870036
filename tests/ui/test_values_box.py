from __future__ import annotations

import json

import gradio as gr
import pytest

from workbench.ui.optional_number import optional_number
from workbench.ui.values_box import values_box


def built() -> tuple[gr.Blocks, gr.Textbox]:
    """A page with three settings, and the box that holds them."""
    with gr.Blocks() as blocks:
        parts = [
            gr.Dropdown(["small", "large"], value="small", label="Model"),
            optional_number(0.5, label="Threshold", high=1),
            gr.Checkbox(label="Stream"),
        ]
        return blocks, values_box(parts)


def test_the_box_begins_with_what_the_components_show() -> None:
    _, box = built()
    assert box.preprocess(box.value) == ["small", 0.5, False]


def test_each_value_is_read_as_its_component_reads_it() -> None:
    _, box = built()
    assert box.preprocess(json.dumps(["large", " 0.25 ", True])) == ["large", 0.25, True]
    with pytest.raises(gr.Error, match="Threshold"):
        box.preprocess(json.dumps(["large", "2", True]))


def test_a_choice_that_came_after_the_page_was_built_passes() -> None:
    _, box = built()
    assert box.preprocess(json.dumps(["new", "", False])) == ["new", None, False]


@pytest.mark.parametrize("text", ["", "{}", '["small"]'])
def test_anything_but_a_value_for_each_is_refused(text: str) -> None:
    _, box = built()
    with pytest.raises(ValueError, match=r"zip|Expecting"):
        box.preprocess(text)


def test_the_browser_alone_keeps_it_up_to_date() -> None:
    blocks, box = built()
    (event,) = blocks.get_config_file()["dependencies"]
    assert [trigger for _, trigger in event["targets"]] == ["change"] * 3
    assert (event["backend_fn"], event["outputs"]) == (False, [box._id])
