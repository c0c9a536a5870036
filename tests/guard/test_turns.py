"""Conversations as two sides that take turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.base import Direction
from guard.turns import NothingToJudge, Side, Turn, turns_to_judge
from tests.guard.fakes import assistant, user
from workbench.core.chat import Message, Role

messages = st.lists(
    st.builds(Message, st.sampled_from(Role), st.text(min_size=1, max_size=5)), min_size=1, max_size=8
)


@given(messages, st.sampled_from(Direction))
def test_sides_alternate_the_user_begins_and_the_judged_side_ends(
    conversation: list[Message], direction: Direction
) -> None:
    try:
        turns = turns_to_judge(conversation, direction)
    except NothingToJudge:
        wanted = {Role.USER, Role.TOOL} if direction is Direction.INPUT else {Role.ASSISTANT}
        assert not wanted & {message.role for message in conversation}
        return
    assert [turn.side for turn in turns] == [Side.USER, Side.AGENT] * (len(turns) // 2) + [Side.USER] * (
        len(turns) % 2
    )
    assert turns[-1].side is (Side.USER if direction is Direction.INPUT else Side.AGENT)


@given(messages)
def test_nothing_of_the_judged_side_since_the_last_answer_is_lost(conversation: list[Message]) -> None:
    outside = [message.content for message in conversation if message.role in (Role.USER, Role.TOOL)]
    if outside:
        assert outside[-1] in turns_to_judge(conversation, Direction.INPUT)[-1].text


def test_neighbours_of_one_side_are_one_turn() -> None:
    assert turns_to_judge([user("a"), user("b")], Direction.INPUT) == (Turn(Side.USER, "a\n\nb"),)


def test_an_answer_without_a_question_follows_an_empty_turn() -> None:
    assert turns_to_judge([assistant("a")], Direction.OUTPUT) == (Turn(Side.USER, ""), Turn(Side.AGENT, "a"))


def test_reasoning_is_part_of_what_the_model_said() -> None:
    thought = Message(Role.ASSISTANT, "answer", reasoning="thought")
    assert turns_to_judge([user("a"), thought], Direction.OUTPUT)[-1].text == "thought\n\nanswer"


def test_without_the_judged_side_there_is_nothing_to_judge() -> None:
    with pytest.raises(NothingToJudge):
        turns_to_judge([user("a")], Direction.OUTPUT)
