"""Long texts in windows, and one verdict for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.base import Direction, Hazard, Verdict, VerdictState
from guard.windows import split_text, worst

SAFE = Verdict("g", Direction.INPUT, VerdictState.SAFE, p_unsafe=0.1, latency_ms=1.0)
UNSAFE = replace(
    SAFE,
    state=VerdictState.UNSAFE,
    p_unsafe=0.8,
    hazards=(Hazard("S1", "Violent Crimes"),),
    reported_codes=("S1",),
)
UNKNOWN = replace(SAFE, state=VerdictState.UNAVAILABLE, p_unsafe=None, reason="why")


@given(st.text(max_size=200), st.integers(1, 50), st.integers(0, 49))
def test_windows_cover_the_text_and_overlap(text: str, size: int, overlap: int) -> None:
    if overlap >= size:
        with pytest.raises(ValueError, match="does not fit"):
            split_text(text, size, overlap)
        return
    pieces = split_text(text, size, overlap)
    assert all(len(piece) <= size for piece in pieces)
    assert pieces[0] + "".join(piece[overlap:] for piece in pieces[1:]) == text


@given(st.text(alphabet="ab", min_size=1, max_size=120), st.integers(0, 119))
def test_every_short_span_lies_whole_in_one_window(text: str, start: int) -> None:
    span = text[start : start + 5]
    assert any(span in piece for piece in split_text(text, 20, 5))


def test_one_unsafe_window_makes_the_text_unsafe() -> None:
    verdict = worst([SAFE, UNSAFE, UNKNOWN])
    assert verdict.is_flagged
    assert verdict.p_unsafe == 0.8
    assert verdict.hazards == UNSAFE.hazards
    assert verdict.reported_codes == ("S1",)
    assert verdict.latency_ms == 3.0


def test_an_unjudged_window_leaves_a_harmless_text_unjudged() -> None:
    verdict = worst([SAFE, UNKNOWN, SAFE])
    assert verdict.state is VerdictState.UNAVAILABLE
    assert (verdict.p_unsafe, verdict.reason) == (None, "why")


def test_scores_are_the_highest_seen() -> None:
    first = replace(SAFE, hazard_scores={"S1": 0.2, "S2": 0.1})
    second = replace(SAFE, p_unsafe=0.3, hazard_scores={"S1": 0.1, "S3": 0.0})
    verdict = worst([first, second])
    assert verdict.p_unsafe == 0.3
    assert verdict.hazard_scores == {"S1": 0.2, "S2": 0.1, "S3": 0.0}


def test_no_windows_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="no windows"):
        worst([])
