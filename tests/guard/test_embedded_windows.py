"""No token goes unread, whatever the length."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from guard.embedded.windows import (
    CLS_ID,
    CONTEXT_TOKENS,
    OVERLAP_TOKENS,
    SEP_ID,
    WINDOW_TOKENS,
    clip_context,
    prompt_windows,
    response_windows,
    spans,
)


@given(length=st.integers(0, 2000), size=st.integers(2, 130), overlap=st.integers(0, 60))
def test_spans_cover_everything_and_overlap(length: int, size: int, overlap: int) -> None:
    overlap = min(overlap, size - 1)
    found = spans(length, size, overlap)
    assert {place for start, end in found for place in range(start, end)} == set(range(length))
    assert all(0 <= end - start <= size for start, end in found)
    for (_, end), (start, _) in pairwise(found):
        assert end - start >= overlap


def test_a_text_that_fits_has_one_window_with_its_special_tokens() -> None:
    (window,) = prompt_windows([7, 8, 9])
    assert window.ids == (CLS_ID, 7, 8, 9, SEP_ID)
    assert window.segments == [0] * 5
    assert not window.judges_response


def test_an_empty_text_has_a_window_too() -> None:
    assert prompt_windows([])[0].ids == (CLS_ID, SEP_ID)
    assert response_windows([], [])[0].ids == (CLS_ID, SEP_ID, SEP_ID)


@given(prompt=st.integers(0, 500), response=st.integers(0, 1000))
def test_every_answer_token_is_read_behind_the_prompt(prompt: int, response: int) -> None:
    asked, answered = list(range(1000, 1000 + prompt)), list(range(5000, 5000 + response))
    windows = response_windows(asked, answered)
    assert set(answered) <= {token for window in windows for token in window.ids}
    head = (CLS_ID, *clip_context(asked), SEP_ID)
    for window in windows:
        assert len(window.ids) <= WINDOW_TOKENS
        assert window.ids[: len(head)] == head
        assert window.segments == [0] * len(head) + [1] * (len(window.ids) - len(head))


def test_a_long_prompt_gives_its_beginning_and_its_end_as_context() -> None:
    clipped = clip_context(range(300))
    assert len(clipped) == CONTEXT_TOKENS
    assert clipped[0] == 0
    assert clipped[-1] == 299


def test_an_answer_window_leaves_room_for_more_than_its_overlap() -> None:
    assert WINDOW_TOKENS - CONTEXT_TOKENS - 3 > OVERLAP_TOKENS
