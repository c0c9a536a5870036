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
    """One catalogue entry, as `models.toml` writes it. None means "from the model's own config".

    `source` is a hub id, a local folder, a GGUF file, or the `base_url` of an OpenAI-compatible endpoint.
    `region` is where it runs: "this process", or the name of a remote endpoint.
    """

    id: str
    source: str
    backend: str = "local"
    region: str = "this process"
    dtype: str | None = None
    quantization: str = "none"
    revision: str | None = None
    gguf_file: str | None = None
    device_map: str | None = None
    context_length: int | None = None
    max_concurrency: int | None = None
    price_per_million_tokens: float | None = None
    panel_max_tokens: int | None = None
    trust_remote_code: bool = False
    guard: str | None = None
    adapter: str | None = None
    api_key_env: str | None = None
    remote_model: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model once it is loaded (or probed, when remote).

    `features` names what this backend honours beyond plain text: "logprobs", "tools", "json_schema", "vision"
    ...
    `ignored_params` are request fields a remote endpoint was seen to ignore. `is_batched` is False for models
    that run one request at a time.
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
