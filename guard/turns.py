"""A conversation as guards see it: two sides that take turns, ending with the turn to be judged.

"User" is everything that goes into the model from outside, so a tool's result counts as the user's side and
is judged with it. "Agent" is everything the model said: its reasoning, its answer and the calls it makes.
System messages are the operator's, not a turn, and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from guard.base import Direction
from workbench.core.chat import Message, Role


class Side(StrEnum):
    """Who speaks, in the words of Llama Guard's prompts."""

    USER = "User"
    AGENT = "Agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said in one go."""

    side: Side
    text: str


class NothingToJudge(ValueError):
    """The conversation has no turn of the side that is to be judged."""


def turns_to_judge(conversation: Sequence[Message], direction: Direction) -> tuple[Turn, ...]:
    """The conversation up to the last turn of the judged side: sides alternate and the user begins.

    Neighbouring messages of one side are joined by a blank line. Answers before the first user turn are left
    out, save the one to be judged, which then follows an empty user turn.
    Raises: NothingToJudge.
    """
    judged = Side.USER if direction is Direction.INPUT else Side.AGENT
    turns = _merged(conversation)
    last = max((place for place, turn in enumerate(turns) if turn.side is judged), default=None)
    if last is None:
        raise NothingToJudge(f"the conversation has no {judged.value.lower()} turn")
    turns = turns[: last + 1]
    if turns[0].side is Side.AGENT:
        turns = turns[1:] or [Turn(Side.USER, ""), turns[0]]
    return tuple(turns)


def spoken_text(message: Message) -> str:
    """All text of a message that its reader, or a tool, gets to see."""
    calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
    return "\n\n".join(part for part in (message.reasoning, message.content, *calls) if part)


def _merged(conversation: Sequence[Message]) -> list[Turn]:
    turns: list[Turn] = []
    for message in conversation:
        if message.role is Role.SYSTEM:
            continue
        side = Side.AGENT if message.role is Role.ASSISTANT else Side.USER
        text = spoken_text(message)
        if turns and turns[-1].side is side:
            turns[-1] = Turn(side, f"{turns[-1].text}\n\n{text}")
        else:
            turns.append(Turn(side, text))
    return turns
