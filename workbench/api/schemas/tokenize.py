"""The body of POST /openai/v1/tokenize, as vLLM shapes it, and its answer."""

from __future__ import annotations

from pydantic import BaseModel, model_validator

from workbench.api.schemas.base import invalid, unsupported
from workbench.api.schemas.chat import RenderedByTemplate
from workbench.api.schemas.generation import ModelName
from workbench.api.schemas.messages import MessageList
from workbench.core.chat import ChatPrompt, Prompt, TextPrompt

_OF_MESSAGES = ("tools", "chat_template_kwargs", "add_generation_prompt")


class TokenizeBody(RenderedByTemplate):
    """A text, or messages as the model's chat template renders them."""

    model: ModelName
    prompt: str | None = None
    messages: MessageList | None = None
    add_special_tokens: bool | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> TokenizeBody:
        if (self.prompt is None) == (self.messages is None):
            raise invalid("Send either `prompt` or `messages`.", "prompt")
        if self.prompt is not None:
            for name in _OF_MESSAGES:
                if getattr(self, name) is not None:
                    raise invalid("It goes with `messages` only.", name)
            if self.continue_final_message:
                raise invalid("It goes with `messages` only.", "continue_final_message")
        elif self.add_special_tokens:
            raise unsupported(
                "Chat templates write the special tokens themselves. Leave it out.", "add_special_tokens"
            )
        return self

    def normal(self) -> Prompt:
        """What is to be tokenized."""
        if self.prompt is not None:
            return TextPrompt(self.prompt, self.add_special_tokens is not False)
        return ChatPrompt(
            messages=tuple(message.normal() for message in self.messages or ()),
            tools=tuple(tool.normal() for tool in self.tools or ()),
            template_kwargs=self.chat_template_kwargs or {},
            add_generation_prompt=self.opens_an_answer,
            continue_final_message=self.continue_final_message,
        )


class Tokenized(BaseModel):
    """Token ids as the model sees them. `max_model_len` is null when the model was unloaded meanwhile."""

    tokens: list[int]
    count: int
    max_model_len: int | None
