"""One copy of a model in a process of its own: what a Ray Serve replica runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from workbench.cluster.failure import Failure
from workbench.core.backend import Backend, CallContext, ModelCard, ModelInfo
from workbench.core.chat import GenerationRequest, Prompt, Started, StreamEvent
from workbench.core.errors import WorkbenchError
from workbench.core.registry import BACKENDS, load
from workbench.core.settings import Settings

Batch = tuple[StreamEvent | Failure, ...]
"""What came since the last batch, in order; a Failure ends the stream."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what of its context can leave its process. `places` is what it holds when it begins."""

    request: GenerationRequest
    scope: str
    request_id: str
    places: int


class ModelReplica:
    """Serves one model. All methods but the constructor run on one event loop."""

    def __init__(self, card: ModelCard, settings: Settings, most_replicas: int) -> None:
        opened: Backend = load(BACKENDS, card.backend, "backend")(card, settings, _unheard)
        self._backend = opened
        self._most_replicas = most_replicas

    async def info(self) -> ModelInfo:
        """What is known of the model; `places` are those of all replicas there may be."""
        info = self._backend.info
        return replace(info, places=None if info.places is None else info.places * self._most_replicas)

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...] | Failure:
        """The prompt's token ids."""
        try:
            return await self._backend.tokenize(prompt)
        except WorkbenchError as error:
            return Failure.of(error)

    async def stream(self, asked: Asked) -> AsyncGenerator[Batch, None]:
        """The request's events, in batches of what is there: a message costs the same, however much it holds.

        `x_effective` tells the replica's process. Closing the generator cancels the request.
        """
        queue: asyncio.Queue[StreamEvent | Failure | None] = asyncio.Queue()
        pump = asyncio.create_task(self._pump(asked, queue))
        try:
            is_over = False
            while not is_over:
                found = [await queue.get()]
                while not queue.empty():
                    found.append(queue.get_nowait())
                is_over = found[-1] is None
                batch = tuple(event for event in found if event is not None)
                if batch:
                    yield batch
        finally:
            pump.cancel()
            await asyncio.wait({pump})

    async def _pump(self, asked: Asked, queue: asyncio.Queue[StreamEvent | Failure | None]) -> None:
        context = CallContext(asked.scope, asked.request_id, lambda: asked.places)
        try:
            async with aclosing(self._backend.stream(asked.request, context)) as events:
                async for event in events:
                    queue.put_nowait(_told(event))
        except WorkbenchError as error:
            queue.put_nowait(Failure.of(error))
        except Exception as bug:  # noqa: BLE001 - its text may quote the request, and Ray would log it
            queue.put_nowait(Failure("BackendFailed", f"The replica failed: {type(bug).__name__}."))
        finally:
            queue.put_nowait(None)


def _told(event: StreamEvent) -> StreamEvent:
    if isinstance(event, Started):
        return replace(event, effective={**event.effective, "replica": os.getpid()})
    return event


def _unheard(stage: str, fraction: float) -> None:
    """Nobody watches a replica load."""
