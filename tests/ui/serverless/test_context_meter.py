from __future__ import annotations

import pytest

from workbench.ui.serverless.context_meter import context_meter_html
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.session import ChatSession


def session(prompt_tokens: int, completion_tokens: int) -> ChatSession:
    made = ChatSession()
    made.begin("q", "m").metrics = AnswerMetrics(
        None, None, prompt_tokens, completion_tokens, None, "stop", 0.0
    )
    return made


def test_the_answer_counts_because_it_is_part_of_the_next_prompt() -> None:
    assert "1,200 of 8,192 tokens" in context_meter_html(session(1000, 200), 8192)


@pytest.mark.parametrize(("used", "is_marked"), [(100, False), (799, False), (800, True), (5000, True)])
def test_a_nearly_full_context_is_marked(used: int, is_marked: bool) -> None:
    meter = context_meter_html(session(used, 0), 1000)
    assert ("wb-marked" in meter) is is_marked
    assert 'aria-valuemax="1000"' in meter


def test_without_an_answer_or_a_known_context_there_is_no_meter() -> None:
    assert context_meter_html(ChatSession(), 8192) == ""
    assert context_meter_html(session(1, 1), None) == ""
