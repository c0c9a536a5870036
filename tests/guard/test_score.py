"""P(unsafe) at the verdict's token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.llama_guard.score import verdict_token
from tests.guard.fakes import token
from workbench.core.chat import TokenLogprob


@given(st.floats(0.001, 0.999))
def test_the_score_is_renormalised_over_the_two_verdicts(p_unsafe: float) -> None:
    top = {"safe": 0.6 * (1 - p_unsafe), "unsafe": 0.6 * p_unsafe, "I": 0.1}
    word = "unsafe" if p_unsafe >= 0.5 else "safe"
    found = verdict_token([token(word, top[word], top)])
    assert found is not None
    assert found.p_unsafe == pytest.approx(p_unsafe)


def test_white_space_before_the_verdict_is_skipped() -> None:
    found = verdict_token([token("\n\n"), token("unsafe", 0.8, {"unsafe": 0.8, "safe": 0.2}), token("\n")])
    assert found is not None
    assert found.position == 1
    assert found.p_unsafe == pytest.approx(0.8)


def test_a_tokenizer_that_splits_the_word_is_read_by_its_first_piece() -> None:
    found = verdict_token([token(" uns", 0.7, {" uns": 0.7, " safe": 0.2, "s": 0.1})])
    assert found is not None
    assert found.p_unsafe == pytest.approx(0.7)


def test_different_spellings_of_a_verdict_add_up() -> None:
    found = verdict_token([token("unsafe", 0.4, {"unsafe": 0.4, " unsafe": 0.2, "safe": 0.2})])
    assert found is not None
    assert found.p_unsafe == pytest.approx(0.75)


def test_the_chosen_token_is_not_counted_twice() -> None:
    found = verdict_token([token("unsafe", 0.6, {"unsafe": 0.6, "safe": 0.4})])
    assert found is not None
    assert found.p_unsafe == pytest.approx(0.6)


def test_a_verdict_beyond_the_alternatives_counts_nothing() -> None:
    found = verdict_token([token("unsafe", 0.99, {"unsafe": 0.99, "un": 0.005})])
    assert found is not None
    assert found.p_unsafe == 1.0


def test_a_model_that_mostly_wants_to_say_something_else_gave_no_verdict() -> None:
    assert verdict_token([token("safe", 0.3, {"safe": 0.3, "I": 0.29, "The": 0.29, "unsafe": 0.1})]) is None


@pytest.mark.parametrize("words", [[], ["\n\n"], ["I"], ["unsafely"], ["S1"], ["\n", "The", "safe"]])
def test_an_answer_that_begins_otherwise_has_no_score(words: list[str]) -> None:
    assert verdict_token([token(word, 0.9, {word: 0.9, "safe": 0.05}) for word in words]) is None


def test_a_token_without_a_logprob_has_no_score() -> None:
    assert verdict_token([TokenLogprob(0, "safe", b"safe", None)]) is None
