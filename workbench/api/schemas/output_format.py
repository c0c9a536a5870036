"""Structured output: what `response_format` may ask for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from workbench.api.schemas.base import WireModel, refused
from workbench.core.chat import OutputFormat


class PlainText(WireModel):
    """No structure asked for."""

    type: Literal["text"]

    def normal(self) -> None:
        """Nothing to enforce."""


class AnyJsonObject(WireModel):
    """Some JSON object."""

    type: Literal["json_object"]

    def normal(self) -> OutputFormat:
        """Any JSON object."""
        return OutputFormat()


class NamedSchema(WireModel):
    """A JSON schema. It is always enforced, with `strict` or without."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    description: Annotated[
        Any, refused("The model is not shown a description of the format. Say it in a message.")
    ] = None


class JsonOfSchema(WireModel):
    """JSON that satisfies a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema

    def normal(self) -> OutputFormat:
        """The schema to enforce."""
        return OutputFormat(self.json_schema.schema_, self.json_schema.name)


ResponseFormat = Annotated[PlainText | AnyJsonObject | JsonOfSchema, Field(discriminator="type")]
