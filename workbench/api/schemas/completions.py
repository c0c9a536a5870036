"""The body of POST /openai/v1/completions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from workbench.api.schemas.base import invalid, refused, tagged
from workbench.api.schemas.generation import Choices, GenerationBody
from workbench.core.chat import GenerationRequest, TextPrompt, TokenPrompt

MAX_LOGPROBS = 5
MAX_PROMPTS = 16

TokenId = Annotated[int, Field(ge=0, lt=2**31)]
Text = Annotated[str, StringConstraints(min_length=1)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, fail_fast=True)]


def _prompt_tag(prompt: Any) -> str:
    if not isinstance(prompt, list):
        return "text"
    first = prompt[0] if prompt else None
    if isinstance(first, list):
        return "lists of ids"
    return "ids" if isinstance(first, int) else "texts"


PromptField = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[list[Text], Field(min_length=1, max_length=MAX_PROMPTS, fail_fast=True), Tag("<texts>")]
    | Annotated[TokenIds, Tag("<ids>")]
    | Annotated[
        list[TokenIds], Field(min_length=1, max_length=MAX_PROMPTS, fail_fast=True), Tag("<lists of ids>")
    ],
    Discriminator(tagged(_prompt_tag)),
]


class CompletionBody(GenerationBody):
    """A request for completions of one prompt or several."""

    prompt: PromptField
    best_of: Choices | None = None
    echo: bool = False
    logprobs: int | None = Field(default=None, ge=0, le=MAX_LOGPROBS)
    suffix: Annotated[Any, refused("Text is continued at its end only.")] = None

    @model_validator(mode="after")
    def _fields_agree(self) -> CompletionBody:
        if self.best_of is not None and self.best_of < self.choices:
            raise invalid("It must be at least `n`.", "best_of")
        if self.best_of is not None and self.best_of > self.choices and self.stream:
            raise invalid(
                "More choices than `n` cannot be streamed: the best are known at the end.", "best_of"
            )
        return self

    def prompts(self) -> tuple[TextPrompt | TokenPrompt, ...]:
        """The prompts, in their order."""
        if isinstance(self.prompt, str):
            return (TextPrompt(self.prompt),)
        texts = tuple(TextPrompt(item) for item in self.prompt if isinstance(item, str))
        if texts:
            return texts
        ids = tuple(item for item in self.prompt if isinstance(item, int))
        if ids:
            return (TokenPrompt(ids),)
        return tuple(TokenPrompt(tuple(item)) for item in self.prompt if isinstance(item, list))

    def requests(self) -> tuple[GenerationRequest, ...]:
        """What the service is asked, a request for each prompt."""
        return tuple(
            GenerationRequest(
                model=self.model,
                prompt=prompt,
                params=self.params(),
                n=self.choices,
                best_of=self.best_of,
                logprobs=self.logprobs,
                prompt_logprobs=self.echo and self.logprobs is not None,
                echo=self.echo,
                report_effective=self.x_effective,
                report_timing=self.x_timing,
            )
            for prompt in self.prompts()
        )
