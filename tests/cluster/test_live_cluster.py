"""Two replicas of a tiny model on a real Ray: both serve, they come and go with load, one is killed in mid-stream."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.engine.tiny_models import byte_tokenizer, tiny_model
from workbench.core.backend import Backend, CallContext, ModelCard
from workbench.core.chat import Delta, Finished, GenerationRequest, Started, TextPrompt
from workbench.core.errors import BackendFailed, ContextLengthExceeded
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings

# Looked for and not imported: Ray reads when it is imported whether it must show a token.
HAS_RAY = importlib.util.find_spec("ray") is not None
pytestmark = [
    pytest.mark.skipif(not HAS_RAY, reason="the extra ray is not installed: pip install '.[ray]'"),
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 240
MODEL = "tiny"
UP = f"""
import sys
from pathlib import Path
from workbench.cluster.deployment import Scaling
from workbench.cluster.head import run_cluster
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings

home = Path(sys.argv[1])
card = ModelCard(id="{MODEL}", source=str(home / "model"), backend="ray")
scaling = Scaling(replicas=1, most_replicas=2, ongoing=2, cpus=0.5, up_seconds=1, down_seconds=4)
run_cluster([card], Settings(home=home, torch_threads=1), scaling, None, lambda line: print(line, flush=True))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cluster")
    tiny_model("llama", max_position_embeddings=4096).save_pretrained(home / "model")
    byte_tokenizer().save_pretrained(home / "model")
    return home


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[int]:
    """The process id of a cluster that is up."""
    process = up(home)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def up(home: Path) -> subprocess.Popen[bytes]:
    """A cluster that is up. Ray gives its parts fixed times to start in, which a busy machine misses."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    log = home / "cluster.log"
    for _ in range(3):
        with log.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, "-c", UP, str(home)],
                env=environment,
                stdout=written,
                stderr=written,
                cwd=home,
            )
        wait_until(partial(_has_started_or_ended, process, log))
        if process.poll() is None:
            return process
        assert "Ray did not start" in log.read_text(), log.read_text()
    raise AssertionError(log.read_text())


def _has_started_or_ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    return "cluster is up" in log.read_text() or process.poll() is not None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(cluster: int, home: Path) -> AsyncGenerator[Backend, None]:
    # Not at the top: Ray must not be imported before the variables are set that it reads then.
    from workbench.backends.ray import open_backend
    from workbench.cluster.connection import leave

    card = ModelCard(id=MODEL, source=str(home / "model"), backend="ray")
    yield await asyncio.to_thread(open_backend, card, Settings(home=home), lambda stage, fraction: None)
    leave()


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.25)


def replicas(cluster: int) -> list[psutil.Process]:
    """The processes that serve, by the name that Ray gives them."""
    found = []
    for process in psutil.Process(cluster).children(recursive=True):
        try:
            if "ServeReplica" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


class Call:
    """One request on its way: where it is answered, its tokens, and how it ended."""

    def __init__(self, backend: Backend, tokens: int) -> None:
        params = GenerationParams(max_tokens=tokens, ignore_eos=True, seed=1)
        self._request = GenerationRequest(MODEL, TextPrompt("Once upon a time"), params)
        self._backend = backend
        self.replica: object = None
        self.tokens = 0
        self.error: Exception | None = None
        self.is_whole = False

    async def run(self) -> Call:
        try:
            async with aclosing(self._backend.stream(self._request, CallContext("test"))) as events:
                async for event in events:
                    if isinstance(event, Started):
                        self.replica = event.effective["replica"]
                    elif isinstance(event, Delta):
                        self.tokens += event.token_count
                    elif isinstance(event, Finished):
                        self.is_whole = True
        except Exception as failure:  # noqa: BLE001 - what it is, the test says
            self.error = failure
        return self


async def until(is_true: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, is_true)


async def test_an_answer_streams_through_the_handle(backend: Backend) -> None:
    call = await Call(backend, 40).run()
    assert (call.error, call.tokens, call.is_whole) == (None, 40, True)
    assert backend.info.places is not None
    assert len(await backend.tokenize(TextPrompt("abc"))) > 0


async def test_a_refusal_arrives_as_our_error(backend: Backend) -> None:
    call = await Call(backend, 10**6).run()
    assert isinstance(call.error, ContextLengthExceeded)


async def test_load_brings_a_second_replica_and_quiet_takes_it_away(backend: Backend, cluster: int) -> None:
    assert len(replicas(cluster)) == 1
    is_enough = False
    answered: list[Call] = []

    async def keep_asking() -> None:
        while not is_enough:
            answered.append(await Call(backend, 200).run())

    askers = [asyncio.create_task(keep_asking()) for _ in range(8)]
    try:
        await until(lambda: len({call.replica for call in answered}) == 2)
    finally:
        is_enough = True
        await asyncio.gather(*askers)
    assert [call.error for call in answered if call.error is not None] == []
    assert len(replicas(cluster)) == 2
    await until(lambda: len(replicas(cluster)) == 1)
    assert (await Call(backend, 10).run()).is_whole


async def test_a_killed_replica_fails_its_own_calls_and_another_one_comes(
    backend: Backend, cluster: int
) -> None:
    calls = [Call(backend, 1500) for _ in range(10)]
    running = [asyncio.create_task(call.run()) for call in calls]
    more: list[Call] = []

    async def keep_asking() -> None:
        while len({call.replica for call in [*calls, *more]} - {None}) < 2:
            more.append(await Call(backend, 100).run())

    await asyncio.gather(*(keep_asking() for _ in range(8)))
    late = [Call(backend, 1500) for _ in range(6)]
    running += [asyncio.create_task(call.run()) for call in late]
    await until(lambda: len({call.replica for call in late if call.tokens}) == 2)
    victim = next(call.replica for call in late if call.tokens and not call.is_whole)
    os.kill(int(str(victim)), signal.SIGKILL)
    await asyncio.gather(*running)
    for call in [*calls, *late]:
        if call.error is not None:
            assert call.replica == victim
            assert isinstance(call.error, BackendFailed)
        else:
            assert call.is_whole
    assert any(call.error is not None for call in late)
    assert any(call.error is None for call in late)
    assert [call.error for call in more if call.error is not None] == []
    again = await Call(backend, 20).run()
    assert again.is_whole
    assert again.replica != victim
