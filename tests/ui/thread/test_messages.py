from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.core.chat import OutputFormat, TokenLogprob, ToolCall
from workbench.ui.thread.messages import TURNS_SHOWN, chat_messages, foot_html
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.session import Turn

METRICS = AnswerMetrics(0.05, 30.0, 5, 7, 2.4e-7, "stop", 0.3)


def texts(turn: Turn, *, is_running: bool = False) -> list[str]:
    messages = chat_messages([turn], is_running=is_running)
    return [part["text"] for message in messages[1:] for part in message["content"]]


def test_an_answer_is_its_text_and_then_its_numbers() -> None:
    answer, foot = texts(Turn("q", "An *answer*", metrics=METRICS))
    assert answer == "An *answer*"
    for fact in ("50 ms", "30.0 tokens/s", "5 in", "7 out", "0.00000024 credits", "Finished"):
        assert fact in foot


def test_new_numbers_of_a_turn_are_shown_in_place_of_the_old_ones() -> None:
    turn = Turn("q", "An answer", metrics=METRICS)
    assert "7 out" in texts(turn)[1]
    turn.metrics = replace(METRICS, completion_tokens=9)
    assert "9 out" in texts(turn)[1]


def test_reasoning_is_text_not_markup_and_folds_when_the_answer_begins() -> None:
    thinking = texts(Turn("q", reasoning="<b>hm</b>"), is_running=True)
    answered = texts(Turn("q", "Yes", reasoning="<b>hm</b>"), is_running=True)
    assert '<details class="wb-reasoning" open>' in thinking[0]
    assert " open" not in answered[0]
    assert "&lt;b&gt;hm&lt;/b&gt;" in answered[0]


def test_a_turn_without_a_token_yet_shows_that_it_waits() -> None:
    assert "wb-waiting" in texts(Turn("q"), is_running=True)[0]
    assert texts(Turn("q")) == []


def test_only_the_last_turns_are_sent_to_the_browser() -> None:
    turns = [Turn(f"q{number}", "a", metrics=METRICS) for number in range(TURNS_SHOWN + 20)]
    messages = chat_messages(turns)
    assert len(messages) == 2 * TURNS_SHOWN
    assert messages[0]["content"] == "q20"


@pytest.mark.parametrize(("answer", "words"), [('{"a": 1}', "Valid by the schema"), ('{"a": "x"}', "Not valid"),
                                              ("text", "Not valid"), ("", "Not valid")])  # fmt: skip
def test_an_answer_is_held_to_its_schema(answer: str, words: str) -> None:
    schema = OutputFormat({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
    assert words in foot_html(Turn("q", answer, output_format=schema, metrics=METRICS))


def test_a_tool_call_is_shown_as_text() -> None:
    shown = texts(Turn("q", tool_calls=(ToolCall("c1", "look", '{"q": "<b>"}'),), metrics=METRICS))[0]
    assert "<b>look</b>" in shown
    assert "&lt;b&gt;" in shown


def test_the_pages_own_markup_has_no_line_break_that_would_end_it_in_markdown() -> None:
    token = TokenLogprob(0, "\n\n", b"", -0.1)
    call = ToolCall("c1", "look", '{\n\n"a": 1}')
    parts = texts(Turn("q", tool_calls=(call,), tokens=[token], metrics=METRICS))
    assert parts
    assert all("\n" not in part for part in parts)


def test_what_is_not_known_is_not_shown() -> None:
    foot = foot_html(Turn("q", metrics=AnswerMetrics(None, None, 5, 0, None, "stopped", 0.1)))
    assert "TTFT" not in foot
    assert "tokens/s" not in foot
    assert "credits" not in foot
    assert "Stopped" in foot
