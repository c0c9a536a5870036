"""A conversation read back from the file that the browser made of it (js/conversation.js writes it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.errors import InvalidRequest
from workbench.ui.session import Turn

MAX_MESSAGES = 2000
UNREADABLE = "unreadable_conversation"


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: str


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    messages: Annotated[list[_Message], Field(min_length=1, max_length=MAX_MESSAGES)]


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """What a file says: the system prompt, "" for none, and the turns."""

    system: str
    turns: list[Turn]


def read_conversation(text: str) -> ReadConversation:
    """The conversation in `text`, JSON with a list `messages`.

    Raises: InvalidRequest for another file, and for messages that do not alternate; it quotes nothing of the file.
    """
    try:
        messages = _File.model_validate_json(text).messages
    except ValidationError:
        raise InvalidRequest("It has no list of messages.", code=UNREADABLE) from None
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    said = [message for message in messages if message.role != "system"]
    turns: list[Turn] = []
    for place, message in enumerate(said):
        if message.role != ("user", "assistant")[place % 2]:
            raise InvalidRequest("Its messages do not alternate, a user's first.", code=UNREADABLE)
        if message.role == "user":
            turns.append(Turn(message.content))
        else:
            turns[-1].answer = message.content
    return ReadConversation(system, turns)
