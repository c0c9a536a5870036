"""Llama Guard's answers: two words and their codes, everything else an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.llama_guard.parse import Answer, GarbledVerdict, parse_answer, parse_codes


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("safe", Answer(False)),
        ("\n\nsafe", Answer(False)),
        ("\n\nsafe<|eot_id|>", Answer(False)),
        (" safe\n", Answer(False)),
        ("Safe", Answer(False)),
        ("safe</s>", Answer(False)),
        ("unsafe", Answer(True)),
        ("\n\nunsafe<|end_of_text|>", Answer(True)),
        ("\n\nunsafe\nS1,S9<|eot_id|>", Answer(True, ("S1", "S9"))),
        ("unsafe\nS1, S9", Answer(True, ("S1", "S9"))),
        ("unsafe\ns1,s9", Answer(True, ("S1", "S9"))),
        ("unsafe\nS1\nS9", Answer(True, ("S1", "S9"))),
        ("unsafe\nS1,S1", Answer(True, ("S1",))),
        ("unsafe\r\nS10 ,\tS2", Answer(True, ("S10", "S2"))),
        ("unsafe\nO3", Answer(True, ("O3",))),
        ("unsafe\nS99", Answer(True, ("S99",))),
        ("unsafe\nno category fits", Answer(True)),
    ],
)
def test_a_verdict_is_read_with_its_codes(text: str, answer: Answer) -> None:
    assert parse_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "safely",
        "unsafe S1",
        "unsafe,S1",
        "not safe",
        "The text is safe.",
        "'safe'",
        "safe or unsafe",
        "safe\nS1",
        "safe\nunsafe",
        "S1",
        "I cannot help with that.",
        "un\nsafe",
        "s a f e",
        "safe<|eot_id|>more",
    ],
)
def test_anything_else_is_garbled(text: str) -> None:
    with pytest.raises(GarbledVerdict) as failure:
        parse_answer(text)
    assert not text.strip() or text not in str(failure.value)


def _is_safe_by_the_letter(text: str) -> bool:
    for closing in ("<|eot_id|>", "<|eot|>", "<|end_of_text|>", "</s>"):
        text = text.rstrip().removesuffix(closing)
    return text.strip().lower() == "safe"


@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                ["safe", "unsafe", "un", "\n", " ", "S1", "S14", ",", "<|eot_id|>", ".", "no", "\t"]
            ),
            max_size=8,
        ).map("".join),
    )
)
def test_only_the_word_safe_is_ever_safe(text: str) -> None:
    try:
        answer = parse_answer(text)
    except GarbledVerdict:
        return
    lines = [line.strip().lower() for line in text.strip().split("\n")]
    assert answer.is_unsafe or _is_safe_by_the_letter(text)
    assert not answer.is_unsafe or lines[0].startswith("unsafe")


@given(st.lists(st.integers(1, 14).map(lambda number: f"S{number}"), max_size=14))
def test_codes_come_back_once_and_in_order(codes: list[str]) -> None:
    assert parse_answer("unsafe\n" + ",".join(codes)).codes == tuple(dict.fromkeys(codes))


@pytest.mark.parametrize("text", ["S123", "XS1", "S", "S1x", "1S"])
def test_what_only_looks_like_a_code_is_none(text: str) -> None:
    assert parse_codes(text) == ()
