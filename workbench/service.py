"""Workbench: the only place where a request's way is written.

admission -> model -> guard in -> generate -> guard out -> accounting. The page, the API and the command line
all enter here with a Caller; nothing above this module talks to a backend, a guard or the gate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import ModelStatus, Pool
from workbench.core.backend import CallContext, ModelCard, ModelState
from workbench.core.caller import Caller
from workbench.core.chat import (
    Completion,
    CompletionBuilder,
    GenerationRequest,
    Prompt,
    StreamEvent,
    TrafficClass,
)
from workbench.core.errors import ModelNotAllowed
from workbench.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /health/ready says: the default model's state."""

    is_ready: bool
    status: ModelStatus


class Workbench:
    """Everything a door can ask for.

    Made once in app.py and injected; holds no request's text after its answer.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, pool: Pool) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self._pool = pool
        self.started_at = time.time()
        self._warm_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to load the default model in the background; returns at once."""
        self._warm_up = asyncio.create_task(self._load_default(), name="load the default model")

    async def stop(self) -> None:
        """Ends what runs and frees the models."""
        if self._warm_up is not None:
            self._warm_up.cancel()
            await asyncio.wait({self._warm_up})
        await self._pool.close()

    async def _load_default(self) -> None:
        # A failed load is kept in the model's status: readiness and the page show it, the server stays up.
        await self._pool.warm(self.catalogue.default.id)

    def readiness(self) -> Readiness:
        """Whether the default model answers."""
        status = self._pool.status(self.catalogue.default.id)
        return Readiness(status.state is ModelState.READY, status)

    def models(self, caller: Caller) -> tuple[ModelStatus, ...]:
        """The models this caller may use, in the catalogue's order."""
        return tuple(status for status in self._pool.statuses() if caller.may_use(status.card.id))

    def model(self, model: str, caller: Caller) -> ModelStatus:
        """One model. Raises: ModelNotFound, ModelNotAllowed."""
        return self._pool.status(self._card(model, caller).id)

    def _card(self, model: str, caller: Caller) -> ModelCard:
        card = self.catalogue.get(model)
        if not caller.may_use(model):
            raise ModelNotAllowed(
                f"This key may not use the model `{model}`. Ask its owner to widen its scope.", param="model"
            )
        return card

    async def stream(
        self,
        request: GenerationRequest,
        caller: Caller,
        *,
        traffic: TrafficClass = TrafficClass.INTERACTIVE,
        request_id: str = "",
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events: Started, Deltas of all choices, Finished.

        Everything that can be refused is refused before Started. Closing the generator frees the slot within
        a step.
        Raises: a WorkbenchError.
        """
        card = self._card(request.model, caller)
        async with (
            self._pool.lease(card.id, wait_seconds=self.settings.queue_timeout) as backend,
            aclosing(backend.stream(request, CallContext(caller.scope, request_id))) as events,
        ):
            async for event in events:
                yield event

    async def complete(
        self,
        request: GenerationRequest,
        caller: Caller,
        *,
        traffic: TrafficClass = TrafficClass.INTERACTIVE,
        request_id: str = "",
    ) -> Completion:
        """The whole result of `stream`. Raises: a WorkbenchError."""
        builder = CompletionBuilder()
        async with aclosing(self.stream(request, caller, traffic=traffic, request_id=request_id)) as events:
            async for event in events:
                builder.add(event)
        return builder.completion()

    async def tokenize(self, model: str, prompt: Prompt, caller: Caller) -> tuple[int, ...]:
        """The prompt's token ids. Raises: a WorkbenchError."""
        card = self._card(model, caller)
        async with self._pool.lease(card.id, wait_seconds=self.settings.queue_timeout) as backend:
            return await backend.tokenize(prompt)
