"""Tools and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from workbench.api.schemas.base import WireModel, invalid, tagged, unsupported
from workbench.core.chat import Tool, ToolChoice, ToolChoiceMode

MAX_TOOLS = 128

ToolName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]


def _function_only(kind: str) -> str:
    if kind != "function":
        raise unsupported("Only tools of the type function are supported.")
    return kind


FunctionType = Annotated[str, AfterValidator(_function_only), Field(json_schema_extra={"enum": ["function"]})]


class FunctionDefinition(WireModel):
    """A function the model may call; `parameters` is its JSON schema."""

    name: ToolName
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool = False


class ToolDefinition(WireModel):
    """A tool of the one type there is."""

    type: FunctionType
    function: FunctionDefinition

    def normal(self) -> Tool:
        """The tool in its normal form."""
        function = self.function
        return Tool(function.name, function.description, function.parameters, function.strict)


def _names_differ(tools: list[ToolDefinition]) -> list[ToolDefinition]:
    if len({tool.function.name for tool in tools}) < len(tools):
        raise invalid("Two tools have the same name. Names must differ.")
    return tools


ToolList = Annotated[
    list[ToolDefinition], Field(max_length=MAX_TOOLS, fail_fast=True), AfterValidator(_names_differ)
]


class NamedFunction(WireModel):
    """A function by name."""

    name: ToolName


class NamedToolChoice(WireModel):
    """This function must be called."""

    type: FunctionType
    function: NamedFunction


def _choice_tag(choice: Any) -> str:
    return "named" if isinstance(choice, dict) else "mode"


ChoiceOfTool = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<mode>")]
    | Annotated[NamedToolChoice, Tag("<named>")],
    Discriminator(tagged(_choice_tag)),
]


def normal_choice(choice: str | NamedToolChoice | None, tools: Sequence[Tool]) -> ToolChoice:
    """The choice in its normal form. Absent: auto with tools, none without.

    Raises: PydanticCustomError when a call is demanded that no given tool can answer.
    """
    if choice is None:
        return ToolChoice(ToolChoiceMode.AUTO if tools else ToolChoiceMode.NONE)
    if isinstance(choice, NamedToolChoice):
        if choice.function.name not in {tool.name for tool in tools}:
            raise invalid("The named function is not among `tools`.", "tool_choice")
        return ToolChoice(ToolChoiceMode.NAMED, choice.function.name)
    if choice == "required" and not tools:
        raise invalid("A tool call is required, but there are no `tools`.", "tool_choice")
    return ToolChoice(ToolChoiceMode(choice) if tools else ToolChoiceMode.NONE)
