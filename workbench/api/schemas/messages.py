"""The messages of a chat request, and their normal form: plain text, four roles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from workbench.api.schemas.base import WireModel, invalid, only, refused, tagged, unsupported
from workbench.core.chat import Message, Role, ToolCall

_PARTS_THAT_ARE_NOT_TEXT = {"image_url": "Images", "input_audio": "Audio", "file": "Files"}


def _refuse_part(kind: str) -> str:
    if kind in _PARTS_THAT_ARE_NOT_TEXT:
        raise unsupported(
            f"{_PARTS_THAT_ARE_NOT_TEXT[kind]} are not supported here. Send parts of the type text."
        )
    raise invalid("A part of this type is not known. Send parts of the type text.")


class TextPart(WireModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class RefusalPart(WireModel):
    """A refusal the assistant gave earlier; read as its text."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """The refusal's words."""
        return self.refusal


class OtherPart(WireModel):
    """Anything that is not text; always refused, by its type."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[str, AfterValidator(_refuse_part)]
    text: str = ""


def _part_tag(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if kind in ("text", "refusal") else "other"


Part = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[OtherPart, Tag("<other>")],
    Discriminator(tagged(_part_tag)),
]


def _content_tag(content: Any) -> str:
    return "parts" if isinstance(content, list) else "string"


Content = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[Part], Field(fail_fast=True), Tag("<parts>")],
    Discriminator(tagged(_content_tag)),
]


def _as_text(content: str | list[TextPart | RefusalPart | OtherPart] | None) -> str:
    """Content as one string: parts stand on lines of their own, absent content is empty."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content)


class FunctionCall(WireModel):
    """The function called, and its arguments as JSON text."""

    name: str
    arguments: str


def _function_only(kind: str) -> str:
    if kind != "function":
        raise unsupported("Only calls of the type function are supported.")
    return kind


class CallOfTool(WireModel):
    """A tool call the assistant made earlier."""

    id: str
    type: Annotated[str, AfterValidator(_function_only)] = "function"
    function: FunctionCall


class SystemMessage(WireModel):
    """Instructions. `developer` is OpenAI's newer name for the role."""

    role: Literal["system", "developer"]
    content: Content | None = None
    name: str | None = None

    def normal(self) -> Message:
        """The message in its normal form."""
        return Message(Role.SYSTEM, _as_text(self.content), self.name)


class UserMessage(WireModel):
    """What the user says."""

    role: Literal["user"]
    content: Content | None = None
    name: str | None = None

    def normal(self) -> Message:
        """The message in its normal form."""
        return Message(Role.USER, _as_text(self.content), self.name)


class AssistantMessage(WireModel):
    """What the model said earlier, as an answer of this API gives it."""

    role: Literal["assistant"]
    content: Content | None = None
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: Annotated[list[CallOfTool], Field(fail_fast=True)] | None = None
    annotations: Annotated[list[Any], only([], why="Annotations are not supported.")] | None = None
    audio: Annotated[Any, refused("Audio is not supported.")] = None
    function_call: Annotated[Any, refused("Function calls are sent in `tool_calls`.")] = None

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> AssistantMessage:
        if self.refusal is not None and self.content is not None:
            raise unsupported("`content` and `refusal` in one message are not supported.", "refusal")
        both = self.reasoning is not None and self.reasoning_content is not None
        if both and self.reasoning != self.reasoning_content:
            raise invalid("It is another name of `reasoning_content`, and they differ.", "reasoning")
        return self

    def normal(self) -> Message:
        """The message in its normal form; a refusal is its text."""
        return Message(
            Role.ASSISTANT,
            self.refusal if self.refusal is not None else _as_text(self.content),
            self.name,
            tool_calls=tuple(
                ToolCall(call.id, call.function.name, call.function.arguments)
                for call in self.tool_calls or ()
            ),
            reasoning=self.reasoning_content if self.reasoning_content is not None else self.reasoning,
        )


class ToolMessage(WireModel):
    """What a tool gave back."""

    role: Literal["tool"]
    content: Content | None = None
    tool_call_id: str
    name: str | None = None

    def normal(self) -> Message:
        """The message in its normal form."""
        return Message(Role.TOOL, _as_text(self.content), self.name, tool_call_id=self.tool_call_id)


AnyMessage = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]
MessageList = Annotated[list[AnyMessage], Field(min_length=1, fail_fast=True)]
