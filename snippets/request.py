"""What a snippet is made of: one generation request, where it goes, and how the key gets in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from workbench.core.chat import ChatPrompt, GenerationRequest, TextPrompt, TokenPrompt
from workbench.core.errors import UnsupportedParameter

KEY_VARIABLE = "WORKBENCH_API_KEY"
"""The environment variable snippets read; never OPENAI_API_KEY, which is a key for somebody else's server."""


class Endpoint(StrEnum):
    """The route a snippet calls, below the API's root."""

    CHAT = "chat/completions"
    COMPLETIONS = "completions"


class ModerationMode(StrEnum):
    """SCORE marks a flagged text, BLOCK refuses it."""

    SCORE = "score"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class ModerationSide:
    """What is done with one side. `threshold` None is the guard's own; `categories` () counts all of its codes."""

    mode: ModerationMode
    threshold: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moderation:
    """The request's `moderation` field: which guard, and what it does with either side. None: not screened."""

    model: str
    input: ModerationSide | None = None
    output: ModerationSide | None = None


@dataclass(frozen=True, slots=True)
class SnippetRequest:
    """A request to be written as code.

    `base_url` is the API's root as an OpenAI client takes it, ending in `/openai/v1`. `key` None reads
    WORKBENCH_API_KEY; a value is written into the code. `is_guarded` makes a pipeline of three calls: check the
    input, generate, check the answers; nothing is shown before it is checked. `guard` names the guard of those
    checks, None leaves it to the server.

    Raises: UnsupportedParameter when the request has a part that its endpoint's wire format cannot carry.
    """

    generation: GenerationRequest
    base_url: str
    is_streamed: bool = False
    key: str | None = field(default=None, repr=False)
    moderation: Moderation | None = None
    is_guarded: bool = False
    guard: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no snippet could send."""
        for name, reason in self._inexpressible():
            raise UnsupportedParameter(f"`{name}` {reason}.", param=name)

    @property
    def endpoint(self) -> Endpoint:
        """Chat for messages, completions for text and token ids."""
        return Endpoint.CHAT if isinstance(self.generation.prompt, ChatPrompt) else Endpoint.COMPLETIONS

    def _inexpressible(self) -> list[tuple[str, str]]:
        """(field, reason) for each part that has no place in the request's JSON."""
        generation = self.generation
        found: list[tuple[str, str]] = []
        if self.endpoint is Endpoint.CHAT:
            asked = {
                "echo": generation.echo,
                "prompt_logprobs": generation.prompt_logprobs,
                "best_of": generation.best_of is not None,
            }
            no_place = "has no place in a chat completion; use a text prompt"
            found.extend((name, no_place) for name, is_asked in asked.items() if is_asked)
        elif generation.output_format is not None:
            found.append(("response_format", "has no place in a completion; use messages"))
        elif generation.prompt_logprobs and not (generation.echo and generation.logprobs is not None):
            found.append(("prompt_logprobs", "of a completion come with echo and logprobs only; set both"))
        if isinstance(generation.prompt, TextPrompt) and not generation.prompt.add_special_tokens:
            found.append(("add_special_tokens", "has no place in a completion; send token ids instead"))
        if self.is_guarded and isinstance(generation.prompt, TokenPrompt):
            found.append(("prompt", "must be text for a guard to read it"))
        return found
