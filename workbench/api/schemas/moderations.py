"""The body of POST /openai/v1/moderations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from workbench.api.schemas.base import WireModel, invalid, tagged
from workbench.api.schemas.messages import (
    AnyMessage,
    AssistantMessage,
    MessageList,
    OtherPart,
    Part,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from workbench.api.schemas.screening import GuardName
from workbench.core.chat import Message, Role

MAX_TEXTS = 1024


def _input_tag(value: Any) -> str:
    if not isinstance(value, list):
        return "text"
    first = value[0] if value else None
    if isinstance(first, dict):
        return "messages" if "role" in first else "parts"
    return "texts"


def _has_a_turn(messages: list[AnyMessage]) -> list[AnyMessage]:
    if all(isinstance(message, SystemMessage) for message in messages):
        raise invalid("There is no turn to judge: send a message of the user or the assistant.")
    return messages


ModerationInput = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[str], Field(min_length=1, max_length=MAX_TEXTS, fail_fast=True), Tag("<texts>")]
    | Annotated[list[Part], Field(min_length=1, fail_fast=True), Tag("<parts>")]
    | Annotated[MessageList, AfterValidator(_has_a_turn), Tag("<messages>")],
    Discriminator(tagged(_input_tag)),
]


class ModerationsBody(WireModel):
    """What is to be judged, and by which guard: by default the server's.

    A text, or each text of a list, is judged as what a user says. A list of text parts is one such text. Of a
    conversation the last turn is judged, in the light of those before it.
    """

    input: ModerationInput
    model: GuardName | None = None

    def conversations(self) -> list[Sequence[Message]]:
        """What is judged, one for each result."""
        if isinstance(self.input, str):
            return [_said(self.input)]
        texts: list[Sequence[Message]] = [_said(item) for item in self.input if isinstance(item, str)]
        parts = [item.text for item in self.input if isinstance(item, TextPart | RefusalPart | OtherPart)]
        turns = [
            item.normal()
            for item in self.input
            if isinstance(item, SystemMessage | UserMessage | AssistantMessage | ToolMessage)
        ]
        return texts or [turns or _said("\n".join(parts))]


def _said(text: str) -> tuple[Message, ...]:
    return (Message(Role.USER, text),)
