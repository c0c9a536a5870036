"""What serves a model: the engine in this process, a remote endpoint, a cluster, or a script."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from workbench.core.chat import GenerationRequest, Prompt, StreamEvent

Progress = Callable[[str, float], None]
"""Told of a slow step: what is being done, and how much of it is done, 0 to 1. Called from any thread."""


class ModelState(StrEnum):
    """Where a model is between the catalogue and memory."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One catalogue entry, as `models.toml` writes it. None means "from the model's own config"."""

    id: str
    """What requests call the model."""
    source: str
    """A hub id, a local folder, a GGUF file, or the base URL of an OpenAI-compatible endpoint."""
    backend: str = "local"
    """What serves it: `local`, `remote` (taken for a base URL), `ray`, or `scripted`, which answers by its `source`."""
    region: str = "this process"
    """Where it runs, as lists show it."""
    dtype: str | None = None
    """Of the weights in memory: `float32`, `bfloat16` or `float16`."""
    quantization: str = "none"
    """`none`, `int8` or `nf4`, done while the weights are loaded."""
    revision: str | None = None
    """A commit, branch or tag of a hub repository."""
    gguf_file: str | None = None
    """The file of that name in a repository or folder, where there are several."""
    device_map: str | None = None
    """How layers are spread over devices, in the words of accelerate: `auto`, `balanced`, `sequential`."""
    context_length: int | None = None
    """Most tokens of prompt and answer together."""
    max_concurrency: int | None = None
    """Choices of this model that generate at once."""
    price_per_million_tokens: float | None = None
    """In credits; what use is reckoned by."""
    panel_max_tokens: int | None = None
    """Where the panel's `max_tokens` slider starts."""
    trust_remote_code: bool = False
    """Runs the Python code that comes with the weights. Only for authors you trust."""
    guard: str | None = None
    """Makes the entry a guard that speaks this protocol, as `llama-guard-3-1b`."""
    adapter: str | None = None
    """A LoRA adapter; refused by name for now."""
    api_key_env: str | None = None
    """The environment variable that holds a remote endpoint's key."""
    remote_model: str | None = None
    """What the remote endpoint calls the model, where it differs from `id`."""
    description: str = ""
    """One sentence for the list of models."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model once it is loaded (or probed, when remote).

    `features` names what this backend honours beyond plain text: "logprobs", "tools", "json_schema", "vision" ...
    `ignored_params` are request fields a remote endpoint was seen to ignore. `is_batched` is False for models
    that run one request at a time. `places` is how many choices it generates at once, `spare_places` how many more it
    takes of callers who hold none.
    """

    context_length: int
    dtype: str
    fingerprint: str
    features: frozenset[str] = frozenset()
    ignored_params: frozenset[str] = frozenset()
    is_batched: bool = True
    parameters: int | None = None
    memory_bytes: int | None = None
    places: int | None = None
    spare_places: int = 0
    has_chat_template: bool = True


def _no_bound() -> int:
    return sys.maxsize


def _unheard() -> None:
    """Nobody asked to be told."""


async def _at_once() -> None:
    """Nobody is before it."""


SHARED_SCOPE = "shared"
"""The scope of texts that are nobody's, such as a guard's policy: what is kept under it serves every scope."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who is asking: `scope` bounds prefix reuse (one key's prompts never serve another's).

    `places` says how many of the call's choices may generate at once, and may change while they do; any thread may
    ask. `finish_choice` is told, on the event loop, whenever a choice has ended. `turn` is awaited when everything
    that can be refused has been, before the first choice begins: prompts of one call share its places.
    """

    scope: str
    request_id: str = ""
    places: Callable[[], int] = _no_bound
    finish_choice: Callable[[], None] = _unheard
    turn: Callable[[], Awaitable[None]] = _at_once


class Backend(Protocol):
    """Serves one model.

    `stream` yields Started, then Deltas of all choices interleaved, then Finished. Everything that can be
    refused is refused before Started. Closing the generator cancels the request and frees its slot within one
    step.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        ...

    def stream(self, request: GenerationRequest, context: CallContext) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. Raises: a WorkbenchError."""
        ...

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids as the model would see them.

        Raises: UnsupportedParameter where it cannot be known.
        """
        ...

    async def close(self) -> None:
        """Ends running requests with an error and frees the memory."""
        ...
