"""Holding output back: what is judged, what is released, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guard.policy import WindowSizes
from guard.stream import HoldBack
from workbench.core.chat import Delta, FinishReason, ToolCallDelta

SMALL = WindowSizes(window_chars=40, first_chars=8, stride_chars=16, lookahead_chars=3)


def run(pieces: list[str], sizes: WindowSizes = SMALL) -> tuple[list[str], list[Delta], list[int]]:
    """The windows judged, the deltas released, and how much text had been judged at each release."""
    hold, windows, released, judged_at = HoldBack(sizes), [], [], []
    text = ""
    deltas = [Delta(0, piece) for piece in pieces] + [Delta(0, finish_reason=FinishReason.STOP)]
    for delta in deltas:
        hold.add(delta)
        text += delta.content
        window = hold.due()
        if window is not None:
            windows.append(window)
            assert text.endswith(window)
        if window is not None or hold.is_finished:
            for one in hold.passed():
                released.append(one)
                judged_at.append(len(text))
    assert hold.is_empty
    return windows, released, judged_at


@given(st.lists(st.text(alphabet="abc ", max_size=30), max_size=40))
def test_all_deltas_come_out_whole_and_in_order(pieces: list[str]) -> None:
    _, released, _ = run(pieces)
    assert [delta.content for delta in released[:-1]] == pieces
    assert released[-1].finish_reason is FinishReason.STOP


@given(st.lists(st.text(alphabet="abc ", max_size=30), max_size=40))
def test_every_character_is_judged_before_it_is_released(pieces: list[str]) -> None:
    _, released, judged_at = run(pieces)
    end = 0
    total = sum(map(len, pieces))
    for delta, judged in zip(released, judged_at, strict=True):
        end += len(delta.content)
        assert end <= judged - SMALL.lookahead_chars or judged == total


@given(st.lists(st.text(alphabet="ab", min_size=1, max_size=3), min_size=1, max_size=80))
def test_a_short_span_anywhere_lies_whole_in_some_window(pieces: list[str]) -> None:
    windows, _, _ = run(pieces)
    text = "".join(pieces)
    spans = {text[start : start + 8] for start in range(len(text))}
    assert all(any(span in window for window in windows) for span in spans)


@given(st.lists(st.text(max_size=12), max_size=30))
def test_every_choice_is_judged_at_least_once(pieces: list[str]) -> None:
    assert len(run(pieces)[0]) >= 1


def test_an_empty_answer_is_judged_once() -> None:
    assert run([])[0] == [""]


def test_the_first_check_comes_early_and_the_distance_grows() -> None:
    windows, _, _ = run(["x"] * 100)
    assert [len(window) for window in windows[:4]] == [8, 24, 40, 40]


def test_text_that_came_at_once_is_judged_whole() -> None:
    text = "a" * 500
    windows, released, _ = run([text])
    assert windows == [text]
    assert released[0].content == text


def test_nothing_is_judged_twice_at_the_end() -> None:
    windows, _, _ = run(["abcdefgh"])
    assert windows == ["abcdefgh"]


def test_all_channels_are_judged() -> None:
    hold = HoldBack(SMALL)
    hold.add(Delta(0, reasoning="thought"))
    hold.add(Delta(0, content="said"))
    hold.add(Delta(0, tool_calls=(ToolCallDelta(0, "1", "search", '{"q":'),)))
    hold.add(Delta(0, tool_calls=(ToolCallDelta(0, arguments="1}"),), finish_reason=FinishReason.TOOL_CALLS))
    assert hold.due() == 'thought\nsaid\nsearch{"q":1}'
    assert len(hold.passed()) == 4


def test_the_window_sees_text_from_before_the_new_part() -> None:
    windows, _, _ = run(["0123456789"] * 12)
    assert all(len(window) >= 24 for window in windows[1:])


def test_a_burst_longer_than_a_window_is_judged_with_text_from_before_it() -> None:
    windows, _, _ = run(["a" * 30, "b" * 500])
    overlap = SMALL.window_chars - SMALL.stride_chars
    assert windows[1] == "a" * overlap + "b" * 500
