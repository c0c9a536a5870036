"""A catalogue entry as a Backend that is leased from the pool for each call: what guards and judges are given."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from workbench.backends.pool import Pool
from workbench.core.backend import CallContext, ModelInfo
from workbench.core.chat import GenerationRequest, Prompt, StreamEvent


class LeasedBackend:
    """Loads its model when it is first called; `info` is what was known of it when this was made."""

    def __init__(self, pool: Pool, model: str, info: ModelInfo) -> None:
        self._pool = pool
        self._model = model
        self._info = info

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        return self._pool.status(self._model).info or self._info

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. Raises: a WorkbenchError."""
        async with (
            self._pool.lease(self._model) as backend,
            aclosing(backend.stream(request, context)) as events,
        ):
            async for event in events:
                yield event

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids."""
        async with self._pool.lease(self._model) as backend:
            return await backend.tokenize(prompt)

    async def close(self) -> None:
        """Nothing to free: the pool owns the model."""
