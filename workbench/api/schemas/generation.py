"""The fields that chat completions and completions share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from workbench.api.schemas.base import WireModel, invalid, only
from workbench.api.schemas.screening import AsksForScreening
from workbench.core.params import MAX_CHOICES, GenerationParams

ModelName = Annotated[str, StringConstraints(min_length=1)]
Choices = Annotated[int, Field(ge=1, le=MAX_CHOICES)]


class StreamOptions(WireModel):
    """What a stream carries besides the answer."""

    include_usage: bool = False
    """One more chunk before the end, with the usage and no choices."""
    continuous_usage_stats: bool = False
    """The usage so far in every chunk."""
    include_obfuscation: Annotated[bool, only(False, why="Streams are not padded.")] = False


class GenerationBody(AsksForScreening, GenerationParams):
    """A request for generated text: the table of parameters and what every such request has besides."""

    model: ModelName
    n: Choices | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    x_effective: bool = False
    """Adds `x_effective` to the answer: every parameter as it was applied, and where its value came from."""
    x_timing: bool = False
    """Adds `x_timing` to the answer: how long the call waited, was read and written, by this server's clock."""
    user: str | None = None

    @model_validator(mode="after")
    def _stream_options_need_a_stream(self) -> GenerationBody:
        if self.stream_options is not None and not self.stream:
            raise invalid("It is only allowed when `stream` is true.", "stream_options")
        return self

    @property
    def choices(self) -> int:
        """How many choices a prompt gets."""
        return 1 if self.n is None else self.n

    @property
    def includes_usage(self) -> bool:
        """True when a stream ends with a chunk for the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def counts_continuously(self) -> bool:
        """True when every chunk of a stream carries the usage so far."""
        return self.stream_options is not None and self.stream_options.continuous_usage_stats

    def params(self) -> GenerationParams:
        """The parameters alone."""
        return GenerationParams(**self.set_fields())
