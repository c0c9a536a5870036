from __future__ import annotations

import math

import gradio as gr
import pytest

from workbench.ui.optional_number import number_of, optional_number


def read(text: str | None, *, low: float = 0, high: float = math.inf, is_whole: bool = False) -> float | None:
    return number_of(text, label="Limit", low=low, high=high, is_whole=is_whole)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_typed_is_no_number(text: str | None) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0.0), (" 0.25 ", 0.25), ("1,500", 1500.0), ("1e3", 1000.0)]
)
def test_what_is_typed_is_the_number(text: str, number: float) -> None:
    assert read(text) == number


@pytest.mark.parametrize("text", ["x", "nan", "-1", "2"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(gr.Error, match="Limit: it must be a number from 0 to 1, or empty"):
        read(text, high=1)


@pytest.mark.parametrize("text", ["1.5", "inf", "0"])
def test_a_whole_number_is_whole(text: str) -> None:
    with pytest.raises(gr.Error, match="a whole number"):
        read(text, low=1, is_whole=True)


def test_the_box_starts_with_its_value_and_may_be_emptied() -> None:
    box = optional_number(1500, label="First token", low=0)
    assert (box.value, box.preprocess(""), box.preprocess("12"), box.postprocess(None)) == (
        "1500",
        None,
        12.0,
        "",
    )
