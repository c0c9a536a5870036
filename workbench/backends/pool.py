"""The loaded models: each is loaded once, on demand; the least recently used idle one makes room for the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from workbench.backends.catalogue import Catalogue
from workbench.core.backend import Backend, ModelCard, ModelInfo, ModelState, Progress
from workbench.core.errors import (
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    Overloaded,
    WeightsError,
    WorkbenchError,
)

log = structlog.get_logger(__name__)

Opener = Callable[[ModelCard, Progress], Backend]
"""Loads a model; blocking, called in a worker thread."""

LOADING_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where a model is. `stage` and `fraction` (0 to 1) describe a load in progress.

    `has_loaded`: it was in memory once, though it may have been evicted since.
    """

    card: ModelCard
    state: ModelState
    stage: str = ""
    fraction: float = 0.0
    info: ModelInfo | None = None
    error: str | None = None
    has_loaded: bool = False


@dataclass(slots=True)
class _Entry:
    card: ModelCard
    state: ModelState = ModelState.UNLOADED
    stage: str = ""
    fraction: float = 0.0
    error: WorkbenchError | None = None
    backend: Backend | None = None
    loading: asyncio.Task[None] | None = None
    leases: int = 0
    has_loaded: bool = False
    is_wanted: bool = True
    last_used: float = field(default_factory=time.monotonic)

    def status(self) -> ModelStatus:
        info = self.backend.info if self.backend is not None else None
        error = self.error.message if self.error is not None else None
        return ModelStatus(self.card, self.state, self.stage, self.fraction, info, error, self.has_loaded)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How the pool learns what fits. Both give bytes and may block; `needed` says None when it cannot tell."""

    free: Callable[[], int]
    needed: Callable[[ModelCard], int | None]


class Pool:
    """Leases loaded models.

    Two first requests for a model load it once. A failed load is an error to those who asked; the next
    request tries again. A leased model is never evicted.
    """

    def __init__(self, catalogue: Catalogue, opener: Opener, memory: MemoryPlan | None = None) -> None:
        self._entries = {id_: _Entry(card) for id_, card in catalogue.cards.items()}
        self._opener = opener
        self._memory = memory
        self._room = asyncio.Lock()
        self._freeing: set[asyncio.Task[None]] = set()

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """All models, in the catalogue's order."""
        return tuple(entry.card for entry in self._entries.values())

    def add(self, card: ModelCard) -> None:
        """Adds a model to the running catalogue. Raises: InvalidRequest when the id is taken."""
        if card.id in self._entries:
            raise InvalidRequest(f"The model id {card.id!r} is taken. Choose another id.", param="id")
        self._entries[card.id] = _Entry(card)

    def is_in_use(self, model: str) -> bool:
        """True while somebody waits for the model or is answered by it."""
        return self._entries[model].leases > 0

    async def remove(self, model: str) -> None:
        """Takes a model out and frees it; one that is still loading stops at the next step it tells of, and is freed.

        A download tells of every piece that came, so it ends at once.
        Raises: KeyError for an id that is not in the catalogue.
        """
        entry = self._entries.pop(model)
        entry.is_wanted = False
        if entry.loading is not None:
            entry.loading.add_done_callback(lambda _: self._free_later(entry))
        else:
            await self._evict(entry)

    def _free_later(self, entry: _Entry) -> None:
        task = asyncio.get_running_loop().create_task(self._evict(entry), name=f"free {entry.card.id}")
        self._freeing.add(task)
        task.add_done_callback(self._freeing.discard)

    def begin(self, model: str) -> None:
        """Begins to load the model if it is not there; returns at once. A failure stays in its status."""
        entry = self._entries[model]
        if entry.backend is None:
            self._begin_load(entry)

    def status(self, model: str) -> ModelStatus:
        """Where this model is. Raises: KeyError for an id that is not in the catalogue."""
        return self._entries[model].status()

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Where every model is."""
        return tuple(entry.status() for entry in self._entries.values())

    @asynccontextmanager
    async def lease(self, model: str, *, wait_seconds: float | None = None) -> AsyncGenerator[Backend, None]:
        """The model, loaded, for as long as the context is open.

        Raises: ModelLoading when it is not there within `wait_seconds` (the load goes on), or the load's own
        error.
        """
        entry = self._entries[model]
        entry.leases += 1
        try:
            yield await self._loaded(entry, wait_seconds)
        finally:
            entry.leases -= 1
            entry.last_used = time.monotonic()

    async def warm(self, model: str) -> None:
        """Loads the model if it is not there; a failure stays in its status."""
        entry = self._entries[model]
        if entry.backend is None:
            await asyncio.wait({self._begin_load(entry)})

    def _begin_load(self, entry: _Entry) -> asyncio.Task[None]:
        """The load in progress, begun now when there is none."""
        if entry.loading is None:
            entry.state, entry.stage, entry.fraction, entry.error = ModelState.LOADING, "starting", 0.0, None
            entry.loading = asyncio.create_task(self._load(entry), name=f"load {entry.card.id}")
        return entry.loading

    async def _loaded(self, entry: _Entry, wait_seconds: float | None) -> Backend:
        if entry.backend is None:
            await asyncio.wait({self._begin_load(entry)}, timeout=wait_seconds)
        if entry.error is not None:
            raise entry.error
        if entry.backend is None:
            raise ModelLoading(
                f"The model `{entry.card.id}` is loading ({entry.stage}, {entry.fraction:.0%}). Try "
                f"again shortly.",
                retry_after_seconds=LOADING_RETRY_SECONDS,
            )
        return entry.backend

    async def _load(self, entry: _Entry) -> None:
        def progress(stage: str, fraction: float) -> None:
            if not entry.is_wanted:
                raise ModelNotFound(entry.card.id)
            entry.stage, entry.fraction = stage, fraction

        started = time.monotonic()
        try:
            async with self._room:
                await self._make_room(entry)
                entry.backend = await asyncio.to_thread(self._opener, entry.card, progress)
            entry.state, entry.fraction, entry.has_loaded = ModelState.READY, 1.0, True
            log.info("model loaded", model=entry.card.id, seconds=round(time.monotonic() - started, 1))
        except WorkbenchError as failure:
            entry.state, entry.error = ModelState.FAILED, failure
            if not entry.is_wanted:
                log.info("stopped a load of a model that was removed", model=entry.card.id)
                return
            log.error("model failed to load", model=entry.card.id, reason=failure.message)
        except Exception as failure:  # noqa: BLE001 - whatever a model's own code raises must reach those who asked
            entry.state = ModelState.FAILED
            entry.error = WeightsError(
                f"The model `{entry.card.id}` could not be loaded: {type(failure).__name__}: {failure}"
            )
            log.error("model failed to load", model=entry.card.id, reason=type(failure).__name__)
        finally:
            entry.loading = None

    async def _make_room(self, entry: _Entry) -> None:
        """Evicts idle models, least recently used first, until this one fits.

        Raises: Overloaded when it would fit only without models that are in use, WeightsError when it never
        fits.
        """
        if self._memory is None:
            return
        needed = await asyncio.to_thread(self._memory.needed, entry.card)
        if needed is None:
            return
        while (free := await asyncio.to_thread(self._memory.free)) < needed:
            loaded = [other for other in self._entries.values() if other.backend is not None]
            idle = sorted((other for other in loaded if other.leases == 0), key=lambda other: other.last_used)
            if not idle:
                sizes = f"needs {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"
                if loaded:
                    raise Overloaded(
                        f"The model `{entry.card.id}` {sizes}, and the loaded models are in use. Try "
                        f"again later.",
                        retry_after_seconds=30,
                    )
                raise WeightsError(f"The model `{entry.card.id}` does not fit this machine: it {sizes}.")
            await self._evict(idle[0])

    async def _evict(self, entry: _Entry) -> None:
        backend, entry.backend, entry.state = entry.backend, None, ModelState.UNLOADED
        if backend is not None:
            await backend.close()
            log.info("model evicted", model=entry.card.id)

    async def unload(self, model: str) -> bool:
        """Frees the model if nobody uses it; True when it is gone."""
        entry = self._entries[model]
        if entry.leases:
            return False
        await self._evict(entry)
        return True

    async def close(self) -> None:
        """Ends loads and closes every model."""
        for entry in self._entries.values():
            if entry.loading is not None:
                await asyncio.wait({entry.loading})
            await self._evict(entry)
