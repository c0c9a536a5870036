"""What the way to a replica costs a token, and what a second replica brings: a tiny model, where the way is most of it.

Run by the Python of an installation that has the extra `ray`:  python bench/cluster.py [--tokens N] [--streams N]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.engine.tiny_models import byte_tokenizer, tiny_model  # noqa: E402 - found by the line above
from workbench.backends.local import open_backend as open_local  # noqa: E402
from workbench.backends.ray import open_backend as open_ray  # noqa: E402
from workbench.cluster.connection import leave  # noqa: E402
from workbench.core.backend import Backend, CallContext, ModelCard  # noqa: E402
from workbench.core.chat import Delta, GenerationRequest, TextPrompt  # noqa: E402
from workbench.core.params import GenerationParams  # noqa: E402
from workbench.core.settings import Settings  # noqa: E402

HEAD = """
import sys
from pathlib import Path
from workbench.cluster.deployment import Scaling
from workbench.cluster.head import run_cluster
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings

home, replicas = Path(sys.argv[1]), int(sys.argv[2])
card = ModelCard(id="tiny", source=str(home / "model"), backend="ray")
scaling = Scaling(replicas=replicas, most_replicas=replicas, cpus=0.5)
run_cluster([card], Settings(home=home, torch_threads=1), scaling, None, lambda line: print(line, flush=True))
"""
ATTEMPTS = 3
WAYS = (0, 1, 2)
"""How many replicas; none is the model in the measuring process."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of all streams together: wall time a token of one stream, CPU time of this process a token, tokens a second."""

    wall_ms: float
    cpu_ms: float
    tokens_per_second: float


def main() -> None:
    """Prints one line for each way."""
    parser = argparse.ArgumentParser(prog="bench/cluster.py")
    parser.add_argument("--tokens", type=int, default=400, help="of every stream")
    parser.add_argument("--streams", type=int, default=8, help="at once")
    asked = parser.parse_args()
    if importlib.util.find_spec("ray") is None:
        sys.stdout.write("cluster: Ray is not installed (the extra `ray`); nothing was measured.\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        tiny_model("llama", max_position_embeddings=4096).save_pretrained(home / "model")
        byte_tokenizer().save_pretrained(home / "model")
        for (
            replicas
        ) in WAYS:  # each in a process of its own: Ray does not let one leave a cluster for another
            way = partial(_measure_way, home, replicas, asked.tokens, asked.streams)
            process = multiprocessing.get_context("spawn").Process(target=way)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)


def _measure_way(home: Path, replicas: int, tokens: int, streams: int) -> None:
    asyncio.run(
        _measure_local(home, tokens, streams)
        if not replicas
        else _measure_cluster(home, replicas, tokens, streams)
    )


async def _measure_local(home: Path, tokens: int, streams: int) -> None:
    card = ModelCard(id="tiny", source=str(home / "model"))
    backend = open_local(card, Settings(home=home, torch_threads=1), _unheard)
    await _report("in this process", backend, tokens, streams)
    await backend.close()


async def _measure_cluster(home: Path, replicas: int, tokens: int, streams: int) -> None:
    async with _cluster(home, replicas) as backend:
        await _report(f"{replicas} replica(s)", backend, tokens, streams)


@asynccontextmanager
async def _cluster(home: Path, replicas: int) -> AsyncGenerator[Backend, None]:
    process = await asyncio.to_thread(_up, home, replicas, home / f"cluster-{replicas}.log")
    try:
        card = ModelCard(id="tiny", source=str(home / "model"), backend="ray")
        yield await asyncio.to_thread(open_ray, card, Settings(home=home), _unheard)
        leave()
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def _up(home: Path, replicas: int, log: Path) -> subprocess.Popen[bytes]:
    """A cluster that is up. Ray gives its parts fixed times to start in, which a busy machine misses."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HEAD, str(home), str(replicas)]
    for _ in range(ATTEMPTS):
        with log.open("wb") as written:
            process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
        while process.poll() is None:
            if "cluster is up" in log.read_text():
                return process
            time.sleep(0.5)
    raise SystemExit(log.read_text())


async def _report(name: str, backend: Backend, tokens: int, streams: int) -> None:
    await _measure(backend, 20, streams)
    for count in (1, streams):
        found = await _measure(backend, tokens, count)
        sys.stdout.write(
            f"{name:<18} {count:>2} stream(s): {found.wall_ms:7.2f} ms a token, {found.cpu_ms:6.2f} ms of CPU here, "
            f"{found.tokens_per_second:7.0f} tokens/s\n"
        )
        sys.stdout.flush()


async def _measure(backend: Backend, tokens: int, streams: int) -> Measured:
    began, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(_stream(backend, tokens) for _ in range(streams)))
    seconds, total = time.perf_counter() - began, sum(counts)
    return Measured(seconds / tokens * 1000, (time.process_time() - cpu) / total * 1000, total / seconds)


async def _stream(backend: Backend, tokens: int) -> int:
    request = GenerationRequest(
        "tiny", TextPrompt("Once upon a time"), GenerationParams(max_tokens=tokens, ignore_eos=True, seed=1)
    )
    return sum(
        [
            event.token_count
            async for event in backend.stream(request, CallContext("bench"))
            if isinstance(event, Delta)
        ]
    )


def _unheard(stage: str, fraction: float) -> None:
    """Nobody watches a model load."""


if __name__ == "__main__":
    main()
