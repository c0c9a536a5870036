from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.store.duplicates import NEARLY_THE_SAME, Wording, duplicates, likeness, plain_hub_id

TEXT = (
    "We summarise support tickets for our agents and need short faithful answers in German and English "
    "at ten requests a minute"
)


@pytest.mark.parametrize(
    "written",
    [
        "Qwen/Qwen3-8B",
        " qwen/qwen3-8b ",
        "https://huggingface.co/Qwen/Qwen3-8B",
        "http://www.huggingface.co/Qwen/Qwen3-8B/",
        "hf.co/Qwen/Qwen3-8B/tree/main",
        "https://huggingface.co/models/Qwen/Qwen3-8B?",
        "https://huggingface.co/Qwen/Qwen3-8B/blob/main/README.md",
    ],
)
def test_a_hub_id_is_the_same_however_it_is_pasted(written: str) -> None:
    assert plain_hub_id(written) == "qwen/qwen3-8b"


def test_the_same_hub_id_is_a_duplicate_whatever_the_words() -> None:
    alike = likeness(Wording("Qwen/Qwen3-8B", "chat"), Wording("qwen/qwen3-8b", "translate contracts"))
    assert alike.is_duplicate
    assert alike.has_same_hub_id


def test_another_size_of_the_model_is_another_model() -> None:
    assert not likeness(Wording("Qwen/Qwen3-8B", "a"), Wording("Qwen/Qwen3-80B", "b")).is_duplicate


def test_nearly_the_same_words_are_a_duplicate() -> None:
    other = TEXT.upper().replace("SHORT ", "very short, ").replace("TEN", "twelve") + "!"
    alike = likeness(Wording("", TEXT), Wording("", other))
    assert alike.is_duplicate
    assert not alike.has_same_hub_id
    assert NEARLY_THE_SAME < alike.words < 1


def test_other_words_are_no_duplicate() -> None:
    other = (
        "A coding assistant inside our editor that completes Rust and explains compiler errors to newcomers"
    )
    assert not likeness(Wording("", TEXT), Wording("", other)).is_duplicate


def test_requests_without_words_or_hub_id_are_not_alike() -> None:
    assert not likeness(Wording("", ""), Wording("", "")).is_duplicate


def test_the_likest_comes_first_and_a_hub_id_before_any_words() -> None:
    mine = Wording("a/b", TEXT)
    others = [
        ("far", Wording("", "something else entirely")),
        ("near", Wording("", TEXT + " please and thank you")),
        ("same text", Wording("", TEXT)),
        ("same model", Wording("A/B", "other words")),
    ]
    assert [request_id for request_id, _ in duplicates(mine, others)] == ["same model", "same text", "near"]


@given(st.text(), st.text(max_size=40), st.text(), st.text(max_size=40))
def test_likeness_is_a_share_and_whole_for_the_same_words(a: str, hub_a: str, b: str, hub_b: str) -> None:
    assert 0 <= likeness(Wording(hub_a, a), Wording(hub_b, b)).words <= 1
    assert likeness(Wording(hub_a, a), Wording(hub_b, a)).words in (0.0, 1.0)
