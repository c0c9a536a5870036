"""Models are loaded once, wait for nobody who leaves, and make room for each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import MemoryPlan, Pool
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import Backend, ModelCard, ModelState, Progress
from workbench.core.errors import ModelLoading, Overloaded, WeightsError

NAMES = ("a", "b", "c")


class Closing(ScriptedBackend):
    """Counts how often it was closed."""

    closed = 0

    async def close(self) -> None:
        self.closed += 1


class Loader:
    """An opener that counts, waits for `gate`, and fails for models in `broken`."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()

    def __call__(self, card: ModelCard, progress: Progress) -> Backend:
        self.loads.append(card.id)
        progress("reading", 0.5)
        self.gate.wait(10)
        if card.id in self.broken:
            raise WeightsError("no weights")
        return Closing()


def pool_of(loader: Callable[[ModelCard, Progress], Backend], memory: MemoryPlan | None = None) -> Pool:
    return Pool(Catalogue({name: ModelCard(id=name, source="x") for name in NAMES}), loader, memory)


async def use(pool: Pool, name: str) -> Backend:
    async with pool.lease(name) as backend:
        return backend


async def test_two_first_requests_load_once() -> None:
    loader = Loader()
    pool = pool_of(loader)
    first, second = await asyncio.gather(use(pool, "a"), use(pool, "a"))
    assert first is second
    assert loader.loads == ["a"]
    assert pool.status("a").state is ModelState.READY


async def test_a_load_in_progress_is_shown_and_an_impatient_caller_told_to_come_back() -> None:
    loader = Loader()
    loader.gate.clear()
    pool = pool_of(loader)
    with pytest.raises(ModelLoading) as caught:
        async with pool.lease("a", wait_seconds=0.1):
            pass
    assert "50%" in caught.value.message
    assert caught.value.retry_after_seconds
    assert (pool.status("a").state, pool.status("a").stage) == (ModelState.LOADING, "reading")
    loader.gate.set()
    await use(pool, "a")
    assert loader.loads == ["a"]


async def test_a_failed_load_is_an_error_to_those_who_asked_and_the_next_one_tries_again() -> None:
    loader = Loader()
    loader.broken.add("a")
    pool = pool_of(loader)
    for result in await asyncio.gather(use(pool, "a"), use(pool, "a"), return_exceptions=True):
        assert isinstance(result, WeightsError)
    assert pool.status("a").error == "no weights"
    loader.broken.clear()
    await use(pool, "a")
    assert pool.status("a").state is ModelState.READY


async def test_an_unforeseen_failure_names_the_model_and_keeps_the_server_up() -> None:
    def explode(card: ModelCard, progress: Progress) -> Backend:
        raise ZeroDivisionError("inside a model's own code")

    pool = pool_of(explode)
    with pytest.raises(WeightsError, match="`a` could not be loaded: ZeroDivisionError"):
        await use(pool, "a")


async def test_the_least_recently_used_idle_model_makes_room() -> None:
    loader = Loader()
    loaded: list[str] = []
    pool = pool_of(loader, MemoryPlan(lambda: 100 - 40 * len(loaded), lambda card: 40))

    async def load(name: str) -> Backend:
        backend = await use(pool, name)
        loaded[:] = [status.card.id for status in pool.statuses() if status.state is ModelState.READY]
        return backend

    first = await load("a")
    await load("b")
    await load("a")  # a is now the more recently used
    pool_free = [lambda: 100 - 40 * sum(status.state is ModelState.READY for status in pool.statuses())]
    pool._memory = MemoryPlan(pool_free[0], lambda card: 40)
    await use(pool, "c")
    states = {status.card.id: status.state for status in pool.statuses()}
    assert states == {"a": ModelState.READY, "b": ModelState.UNLOADED, "c": ModelState.READY}
    assert first.closed == 0  # type: ignore[attr-defined]


async def test_a_model_in_use_is_never_evicted() -> None:
    pool = pool_of(Loader())
    pool._memory = MemoryPlan(
        lambda: 50 - 40 * sum(status.state is ModelState.READY for status in pool.statuses()), lambda card: 40
    )
    async with pool.lease("a") as backend:
        with pytest.raises(Overloaded, match="in use"):
            await use(pool, "b")
        assert backend.closed == 0  # type: ignore[attr-defined]
    await use(pool, "b")
    assert pool.status("a").state is ModelState.UNLOADED


async def test_a_model_that_never_fits_is_refused_before_it_is_read() -> None:
    loader = Loader()
    pool = pool_of(loader, MemoryPlan(lambda: 10 << 30, lambda card: 16 << 30))
    with pytest.raises(WeightsError, match=r"needs 16\.0 GiB, 10\.0 GiB are free"):
        await use(pool, "a")
    assert loader.loads == []


async def test_unloading_waits_for_nobody_and_refuses_while_in_use() -> None:
    pool = pool_of(Loader())
    async with pool.lease("a"):
        assert await pool.unload("a") is False
    assert await pool.unload("a") is True
    assert pool.status("a").state is ModelState.UNLOADED


async def test_removing_a_model_stops_its_load_at_the_next_piece() -> None:
    told, gone = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    pieces: list[int] = []

    def download(card: ModelCard, progress: Progress) -> Backend:
        for piece in range(1000):
            progress("downloading", piece / 1000)
            pieces.append(piece)
            loop.call_soon_threadsafe(told.set)
            gone.wait(10)
        return Closing()

    pool = pool_of(download)
    pool.begin("a")
    await told.wait()
    (load,) = (task for task in asyncio.all_tasks() if task.get_name() == "load a")
    await pool.remove("a")
    gone.set()
    await load
    assert len(pieces) == 1
