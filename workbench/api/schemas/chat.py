"""The body of POST /openai/v1/chat/completions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.api.schemas.base import WireModel, invalid, only, refused
from workbench.api.schemas.generation import GenerationBody
from workbench.api.schemas.messages import MessageList
from workbench.api.schemas.output_format import ResponseFormat
from workbench.api.schemas.tools import ChoiceOfTool, ToolList, normal_choice
from workbench.core.chat import ChatPrompt, GenerationRequest
from workbench.core.params import GenerationParams

MAX_TOP_LOGPROBS = 20

MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


class RenderedByTemplate(WireModel):
    """What the model's chat template is given."""

    tools: ToolList | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool = False

    @model_validator(mode="after")
    def _opens_or_continues(self) -> RenderedByTemplate:
        if self.continue_final_message and self.add_generation_prompt:
            raise invalid("It excludes `add_generation_prompt`.", "continue_final_message")
        return self

    @property
    def opens_an_answer(self) -> bool:
        """True when the template opens a new turn of the assistant."""
        if self.add_generation_prompt is None:
            return not self.continue_final_message
        return self.add_generation_prompt


class NothingAsked(WireModel):
    """OpenAI's fields that ask for nothing in their usual values; other values ask for what is not here."""

    store: Annotated[bool, only(False, why="Answers are not stored. Leave `store` out.")] | None = None
    service_tier: (
        Annotated[str, only("auto", "default", why="There is one tier. Leave `service_tier` out.")] | None
    ) = None
    modalities: Annotated[list[str], only(["text"], why="Answers are text.")] | None = None
    verbosity: (
        Annotated[str, only("medium", why="Say in a message how long the answer should be.")] | None
    ) = None
    prompt_cache_retention: (
        Annotated[str, only("in_memory", why="Prompt prefixes are kept in memory alone, for minutes.")] | None
    ) = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] | None = None


class NotHere(WireModel):
    """OpenAI's fields that nothing here honours; each is refused by name."""

    audio: Annotated[Any, refused("Answers are text.")] = None
    functions: Annotated[Any, refused("Send `tools`.")] = None
    function_call: Annotated[Any, refused("Send `tool_choice`.")] = None
    prediction: Annotated[Any, refused("Predicted output is not supported.")] = None
    prompt_cache_options: Annotated[Any, refused("Prompt prefixes are reused without being asked.")] = None
    web_search_options: Annotated[Any, refused("Nothing is searched on the web.")] = None


class ChatBody(GenerationBody, RenderedByTemplate, NothingAsked, NotHere):
    """A request for chat completions."""

    messages: MessageList
    max_completion_tokens: int | None = Field(default=None, ge=0, description="Another name of max_tokens.")
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=MAX_TOP_LOGPROBS)
    response_format: ResponseFormat | None = None
    tool_choice: ChoiceOfTool | None = None
    parallel_tool_calls: bool = True
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> ChatBody:
        if self.top_logprobs is not None and not self.logprobs:
            raise invalid("It is only allowed when `logprobs` is true.", "top_logprobs")
        if (
            self.max_tokens not in (None, self.max_completion_tokens)
            and self.max_completion_tokens is not None
        ):
            raise invalid("It is another name of `max_tokens`, and they differ.", "max_completion_tokens")
        if self.reasoning_effort is not None and "reasoning_effort" in (self.chat_template_kwargs or {}):
            raise invalid("It is also in `chat_template_kwargs`. Send it once.", "reasoning_effort")
        normal_choice(self.tool_choice, [tool.normal() for tool in self.tools or ()])
        return self

    def prompt(self) -> ChatPrompt:
        """The messages and tools in their normal form."""
        tools = tuple(tool.normal() for tool in self.tools or ())
        effort = {} if self.reasoning_effort is None else {"reasoning_effort": self.reasoning_effort}
        return ChatPrompt(
            messages=tuple(message.normal() for message in self.messages),
            tools=tools,
            tool_choice=normal_choice(self.tool_choice, tools),
            parallel_tool_calls=self.parallel_tool_calls,
            template_kwargs={**(self.chat_template_kwargs or {}), **effort},
            add_generation_prompt=self.opens_an_answer,
            continue_final_message=self.continue_final_message,
        )

    def params(self) -> GenerationParams:
        """The parameters alone, `max_tokens` under its one name."""
        if self.max_completion_tokens is None:
            return super().params()
        return GenerationParams(**{**self.set_fields(), "max_tokens": self.max_completion_tokens})

    def request(self) -> GenerationRequest:
        """What the service is asked."""
        return GenerationRequest(
            model=self.model,
            prompt=self.prompt(),
            params=self.params(),
            n=self.choices,
            logprobs=(self.top_logprobs or 0) if self.logprobs else None,
            output_format=None if self.response_format is None else self.response_format.normal(),
            report_effective=self.x_effective,
            report_timing=self.x_timing,
        )
