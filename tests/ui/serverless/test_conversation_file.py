from __future__ import annotations

import json

import pytest

from workbench.core.chat import ToolCall
from workbench.core.errors import InvalidRequest
from workbench.ui.serverless.conversation_file import read_conversation, write_conversation
from workbench.ui.thread.session import Turn


def written(*messages: tuple[str, str]) -> str:
    return json.dumps(
        {"model": "m", "messages": [{"role": role, "content": text} for role, text in messages]}
    )


def test_a_conversation_is_read_with_its_system_prompt() -> None:
    read = read_conversation(
        written(("system", "Be brief"), ("user", "One"), ("assistant", "1"), ("user", "Two"))
    )
    assert read.system == "Be brief"
    assert [(turn.user, turn.answer) for turn in read.turns] == [("One", "1"), ("Two", "")]


def test_what_was_written_is_read_as_it_was_with_reasoning_tools_and_an_open_question() -> None:
    calls = ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")
    turns = [
        Turn("Weather in Rome and Bern?", reasoning="Two calls", tool_calls=calls),
        Turn("22", call_id="a"),
        Turn("12", "Warm and cool.", call_id="b"),
        Turn("And Oslo?"),
    ]
    read = read_conversation(write_conversation(turns, "Be brief", "m"))
    assert (read.system, read.turns) == ("Be brief", turns)


def test_a_conversation_of_more_turns_than_the_thread_shows_is_written_whole() -> None:
    turns = [Turn(str(number), "yes") for number in range(250)]
    assert len(json.loads(write_conversation(turns, " ", "m"))["messages"]) == 500


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "[]", "{}", '{"messages": []}', '{"messages": [{"role": "tool", "content": "x"}]}',
        '{"messages": [{"role": "user", "content": 5}]}', written(("assistant", "secret")),
        written(("user", "secret"), ("user", "secret")), written(("user", "a"), ("assistant", "b"), ("tool", "secret")),
        written(("user", "a"), ("assistant", "b"), ("assistant", "secret")),
    ],
)  # fmt: skip
def test_any_other_file_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_conversation(text)
    assert "secret" not in refused.value.message
    assert refused.value.code == "unreadable_conversation"
