from __future__ import annotations

import json

import pytest

from workbench.core.errors import InvalidRequest
from workbench.ui.conversation_file import read_conversation


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


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "[]", "{}", '{"messages": []}', '{"messages": [{"role": "tool", "content": "x"}]}',
        '{"messages": [{"role": "user", "content": 5}]}', written(("assistant", "secret")),
        written(("user", "secret"), ("user", "secret")),
    ],
)  # fmt: skip
def test_any_other_file_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_conversation(text)
    assert "secret" not in refused.value.message
    assert refused.value.code == "unreadable_conversation"
