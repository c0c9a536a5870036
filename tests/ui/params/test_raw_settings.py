from __future__ import annotations

import pytest

from workbench.core.errors import InvalidRequest
from workbench.core.params import PARAMS
from workbench.ui.params.raw_settings import RawSettings, raw_summary, read_raw


def test_nothing_typed_sets_nothing() -> None:
    assert read_raw(" \n") == RawSettings()
    assert raw_summary("") == ""


def test_any_parameter_of_the_table_can_be_set_false_values_too() -> None:
    raw = read_raw('{"seed": 0, "min_p": 0.05, "ignore_eos": false}')
    assert raw.params == {"seed": 0, "min_p": 0.05, "ignore_eos": False}


def test_template_arguments_are_kept_apart_from_parameters() -> None:
    raw = read_raw('{"chat_template_kwargs": {"enable_thinking": false}}')
    assert raw == RawSettings({}, {"enable_thinking": False})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"seed": ', "line 1"),
        ("[]", "an object"),
        ('{"temprature": 1}', "`temprature` is not set here"),
        ('{"messages": []}', "they are the conversation"),
        ('{"temperature": "hot"}', "`temperature`"),
        ('{"temperature": 9}', "less than or equal to 2"),
        ('{"chat_template_kwargs": 1}', "must be an object"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match="Raw JSON") as refused:
        read_raw(text)
    assert said in refused.value.message


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_raw('{"x": 1}')
    assert all(name in refused.value.message for name in PARAMS)


def test_the_summary_says_which_sliders_it_wins_over() -> None:
    assert (
        raw_summary('{"seed": 7, "temperature": 0}') == "Sets seed, temperature; wins over Temperature above"
    )
