"""A conversation as a file's text and back: JSON with OpenAI's messages. The browser makes and reads the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.chat import ToolCall
from workbench.core.errors import InvalidRequest
from workbench.ui.thread.session import Turn

MAX_MESSAGES = 2000
UNREADABLE = "unreadable_conversation"


class _Function(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    arguments: str


class _Call(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    function: _Function


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning_content: str = ""
    tool_calls: list[_Call] = Field(default_factory=list)
    tool_call_id: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    messages: Annotated[list[_Message], Field(min_length=1, max_length=MAX_MESSAGES)]


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """What a file says: the system prompt, "" for none, and the turns."""

    system: str
    turns: list[Turn]


def write_conversation(turns: Sequence[Turn], system: str, model: str) -> str:
    """All turns as JSON, with reasoning, tool calls and their results; js/conversation.js makes every format of it."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system.strip() else []
    for turn in turns:
        if turn.call_id is None:
            messages.append({"role": "user", "content": turn.user})
        else:
            messages.append({"role": "tool", "tool_call_id": turn.call_id, "content": turn.user})
        if turn.has_answer:
            messages.append(_answer(turn))
    return json.dumps({"model": model, "messages": messages})


def _answer(turn: Turn) -> dict[str, Any]:
    answer: dict[str, Any] = {"role": "assistant", "content": turn.answer}
    if turn.reasoning:
        answer["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        answer["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.tool_calls
        ]
    return answer


def read_conversation(text: str) -> ReadConversation:
    """The conversation in `text`, JSON with a list `messages`.

    Raises: InvalidRequest for another file, and for messages that do not alternate; it quotes nothing of the file.
    """
    try:
        messages = _File.model_validate_json(text).messages
    except ValidationError:
        raise InvalidRequest("It has no list of messages.", code=UNREADABLE) from None
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    turns: list[Turn] = []
    for message in messages:
        if message.role != "system":
            _add(turns, message)
    return ReadConversation(system, turns)


def _add(turns: list[Turn], message: _Message) -> None:
    """The next message, where it may stand: an answer after a question, results of tools one after the other."""
    last = turns[-1] if turns else None
    is_open = last is not None and not last.has_answer
    if message.role == "assistant":
        if last is None or not is_open:
            raise InvalidRequest("Its messages do not alternate, a user's first.", code=UNREADABLE)
        last.answer, last.reasoning = message.content, message.reasoning_content
        last.tool_calls = tuple(
            ToolCall(call.id, call.function.name, call.function.arguments) for call in message.tool_calls
        )
        return
    is_result = message.role == "tool"
    if last is None:
        is_misplaced = is_result
    elif is_open:
        is_misplaced = not (is_result and last.call_id is not None)
    else:
        is_misplaced = is_result and not last.tool_calls
    if is_misplaced:
        raise InvalidRequest("Its messages do not alternate, a user's first.", code=UNREADABLE)
    turns.append(Turn(message.content, call_id=message.tool_call_id if is_result else None))
