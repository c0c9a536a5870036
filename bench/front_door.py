"""What the front door costs a call, and what a flood of one key does to another.

Run by hand: `python bench/front_door.py overhead` and `python bench/front_door.py flood`.

`overhead`: the whole site over a scripted model and a real store, against the same API without log-in, gate, metrics
and accounting, called in this process; the two take turns in every round, so that whatever else the machine does falls
on both. With `--answer-ms 0` the door itself is the only work, and its processor time is what bounds its rate. Not
covered: the network and HTTP's parsing.

`flood`: the server as a process with the embedded model. One key sends `--flood` requests at once and each again as
soon as it may (Retry-After), while another key asks one question after the other. Its time to the first token is
compared with what it was before the flood.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.base import ScreenedEvent
from workbench.api.app import create_api
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import CallContext, ModelCard
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import GenerationRequest
from workbench.core.settings import Settings
from workbench.logs import configure_logs
from workbench.service import DEFAULT_OPTIONS, CallOptions, Workbench
from workbench.site import build_app
from workbench.store import FILE_NAME, Store

MODEL = "scripted/model"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
CHAT = "/v1/chat/completions"
_HEAD = """\
| at once | bare p50 ms | whole p50 ms | added p50 ms | added ms of processor a call |
|---|---|---|---|---|"""


class Bare(Workbench):
    """The service without lease, gate, guard, metrics and accounting."""

    bench_backend: ScriptedBackend

    def streams(
        self, requests: Sequence[GenerationRequest], caller: Caller, options: CallOptions = DEFAULT_OPTIONS
    ) -> list[AsyncGenerator[ScreenedEvent, None]]:
        """The backend's own events."""
        return [self._bare(request) for request in requests]

    async def _bare(self, request: GenerationRequest) -> AsyncGenerator[ScreenedEvent, None]:
        async with aclosing(self.bench_backend.stream(request, CallContext("bench"))) as events:
            async for event in events:
                yield event


@dataclass(frozen=True, slots=True)
class Door:
    """An app to call, the path of its chat route, and the headers it wants."""

    app: ASGIApp
    path: str
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def call(self, body: bytes) -> float:
        """Milliseconds of one call. Raises: RuntimeError for any answer but 200."""
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": self.path, "raw_path": b"",
            "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 7860),
            "client": ("127.0.0.1", 1), "headers": [(b"host", b"127.0.0.1:7860"), *self.headers], "state": {},
        }  # fmt: skip
        status = 0
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return unread.pop() if unread else await asyncio.Future()

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        begun = time.perf_counter()
        await self.app(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"the call was answered with {status}")
        return (time.perf_counter() - begun) * 1000


@asynccontextmanager
async def both_doors(home: Path, answer_seconds: float) -> AsyncIterator[tuple[Door, Door]]:
    """The bare API and the whole site, over the same scripted model, whose answer is one token."""
    backend = ScriptedBackend([Script("Paris.", token_seconds=answer_seconds)])
    catalogue = Catalogue(
        {MODEL: ModelCard(MODEL, "script", backend="scripted", price_per_million_tokens=0.2)}
    )
    settings = Settings(home=home, guard="off", max_concurrency=64)
    pool = Pool(catalogue, lambda card, progress: backend)
    bare = Bare(settings, catalogue, pool)
    bare.bench_backend = backend
    api = create_api(bare)

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"caller": LOCAL_USER, "request_id": "bench"}
        await api(scope, receive, send)

    async with await Store.open(home / FILE_NAME) as store:
        key = await store.keys.create(name="bench")
        site = build_app(Workbench(settings, catalogue, pool, store), store.keys)
        async with site.router.lifespan_context(site):
            header = (b"authorization", f"Bearer {key.secret}".encode())
            yield Door(let_in, CHAT), Door(site, f"/openai{CHAT}", [header])


async def one_part(door: Door, concurrency: int, calls: int) -> list[float]:
    """Milliseconds of every call, `concurrency` of them at any time."""
    body = json.dumps({"model": MODEL, "messages": QUESTION}).encode()

    async def worker() -> list[float]:
        return [await door.call(body) for _ in range(calls // concurrency)]

    return [taken for one in await asyncio.gather(*(worker() for _ in range(concurrency))) for taken in one]


async def overhead(options: argparse.Namespace) -> None:
    """Prints a row for each concurrency: medians over the rounds."""
    configure_logs("INFO")  # a line for each call, as a server writes it
    sys.stdout.write(
        f"{options.calls} calls a side and round, answers of {options.answer_ms:g} ms\n\n{_HEAD}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        async with both_doors(Path(folder), options.answer_ms / 1000) as doors:
            for concurrency in options.concurrency:
                rounds = [
                    await one_round(doors, concurrency, options.calls) for _ in range(options.rounds + 1)
                ]
                bare, whole, processor = (
                    statistics.median(values) for values in zip(*rounds[1:], strict=True)
                )
                added = statistics.median(one[1] - one[0] for one in rounds[1:])
                sys.stdout.write(
                    f"| {concurrency} | {bare:.2f} | {whole:.2f} | {added:.2f} | {processor:.2f} |\n"
                )
                sys.stdout.flush()


async def one_round(doors: tuple[Door, Door], concurrency: int, calls: int) -> tuple[float, float, float]:
    """The bare and the whole median in ms, and the processor time that the whole takes more, a call in ms."""
    medians, seconds = [], []
    for door in doors:
        begun = time.process_time()
        medians.append(statistics.median(await one_part(door, concurrency, calls)))
        seconds.append(time.process_time() - begun)
    return medians[0], medians[1], (seconds[1] - seconds[0]) / calls * 1000


@asynccontextmanager
async def real_server() -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The address of a server with a store of its own and the real model, and the environment of its commands."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(Settings().home / "models")
        environment = {**os.environ, "WORKBENCH_HOME": folder, "WORKBENCH_GUARD": "off"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "workbench", "serve", "--port", "0",
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            printed = await process.stdout.readline() if process.stdout is not None else b""
            address = printed.decode().removeprefix("Workbench: ").strip()
            async with httpx.AsyncClient() as client:
                while (await client.get(f"{address}/health/ready")).status_code != 200:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.5)
            yield address, environment
        finally:
            process.terminate()
            await process.wait()


def make_key(name: str, environment: dict[str, str]) -> str:
    """A new key of the running server."""
    command = [sys.executable, "-m", "workbench", "keys", "create", "--name", name, "--json"]
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return str(json.loads(made.stdout)["key"])


async def first_token(client: httpx.AsyncClient, body: dict[str, Any]) -> float | None:
    """Seconds from sending to the first token; None when the call was refused."""
    begun, found = time.perf_counter(), None
    async with client.stream("POST", f"/openai{CHAT}", json={**body, "stream": True}) as answer:
        async for line in answer.aiter_lines():
            if found is None and '"content":"' in line and '"content":""' not in line:
                found = time.perf_counter() - begun
    return found


async def flood(options: argparse.Namespace) -> None:
    """Prints what the flood was answered, and the other key's time to the first token before and during it."""
    async with real_server() as (address, environment):
        keys = [await asyncio.to_thread(make_key, name, environment) for name in ("flood", "person")]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        many, one = (
            httpx.AsyncClient(
                base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=120, limits=limits
            )
            for key in keys
        )
        async with many, one:
            model = (await one.get("/openai/v1/models")).json()["data"][0]["id"]
            body = {"model": model, "messages": QUESTION, "max_tokens": 16, "temperature": 0}
            await first_token(one, body)
            quiet = [await first_token(one, body) for _ in range(options.questions)]
            answers: Counter[str] = Counter()
            flooding = [asyncio.create_task(keep_sending(many, body, answers)) for _ in range(options.flood)]
            await asyncio.sleep(2)
            busy = [await first_token(one, body) for _ in range(options.questions)]
            for task in flooding:
                task.cancel()
            await asyncio.gather(*flooding, return_exceptions=True)
    sys.stdout.write(f"the flood of {options.flood} was answered: {dict(answers)}\n\n")
    sys.stdout.write("| TTFT of the other key | answered | p50 s | p95 s |\n|---|---|---|---|\n")
    for name, times in (("quiet", quiet), ("in the flood", busy)):
        heard = [taken for taken in times if taken is not None]
        p50, p95 = np.percentile(heard, [50, 95])
        sys.stdout.write(f"| {name} | {len(heard)} of {len(times)} | {p50:.3f} | {p95:.3f} |\n")


async def keep_sending(client: httpx.AsyncClient, body: dict[str, Any], answers: Counter[str]) -> None:
    """Sends again and again, as soon as it may; counts the answers by status."""
    while True:
        answer = await client.post(f"/openai{CHAT}", json=body)
        answers[str(answer.status_code)] += 1
        await asyncio.sleep(float(answer.headers.get("retry-after", 0)))


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("overhead")
    one.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    one.add_argument("--calls", type=int, default=400, help="of each side in a round")
    one.add_argument("--answer-ms", type=float, default=100.0, help="how long the model takes")
    one.add_argument("--rounds", type=int, default=9)
    one.set_defaults(run=overhead)
    two = commands.add_parser("flood")
    two.add_argument("--flood", type=int, default=200)
    two.add_argument("--questions", type=int, default=40)
    two.set_defaults(run=flood)
    options = parser.parse_args()
    asyncio.run(options.run(options))


if __name__ == "__main__":
    main()
