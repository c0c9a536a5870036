"""What the front door costs a call.

Run by hand: `python bench/front_door.py`.

First the parts by themselves, 8 at once: what a call waits for on its way, without the middleware around it. Then the
whole site over a scripted model and a real store, against the same API without log-in, gate, metrics and accounting,
called in this process; the two take turns in every round, so that whatever else the machine does falls on both. With
`--answer-ms 0` the door itself is the only work, and its processor time is what bounds its rate. Not covered: the
network and HTTP's parsing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.base import ScreenedEvent
from workbench.admission import Gate
from workbench.api.app import create_api
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import CallContext, ModelCard
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import GenerationRequest, Usage
from workbench.core.settings import Settings
from workbench.logs import configure_logs
from workbench.service import DEFAULT_OPTIONS, CallOptions, Workbench
from workbench.site import build_app
from workbench.store import FILE_NAME, Store

MODEL = "scripted/model"
PART_CALLS = 4000
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


async def parts(options: argparse.Namespace) -> None:
    """Prints what each part takes, in the order a call meets them."""
    sys.stdout.write("| part | p50 ms | p95 ms |\n|---|---|---|\n")
    with tempfile.TemporaryDirectory() as folder:
        async with await Store.open(Path(folder) / FILE_NAME) as store:
            made = await store.keys.create(name="bench")
            caller = (await store.keys.authenticate(made.secret)).caller
            gate = Gate(lambda model: 64)

            async def pass_gate() -> None:
                async with gate.admit(caller, MODEL):
                    pass

            steps: dict[str, Callable[[], Awaitable[object]]] = {
                "key recognised": lambda: store.keys.authenticate(made.secret),
                "gate passed": pass_gate,
                "use counted": lambda: store.usage.add(caller, MODEL, Usage(10, 20), 0.2),
            }
            for name, step in steps.items():
                taken = await timed(step, PART_CALLS)
                p50, p95 = np.percentile(taken, [50, 95])
                sys.stdout.write(f"| {name} | {p50:.3f} | {p95:.3f} |\n")


async def timed(step: Callable[[], Awaitable[object]], calls: int) -> list[float]:
    """Milliseconds of each of `calls` runs, 8 at any time."""

    async def worker() -> list[float]:
        taken = []
        for _ in range(calls // 8):
            begun = time.perf_counter()
            await step()
            taken.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0)
        return taken

    return [one for some in await asyncio.gather(*(worker() for _ in range(8))) for one in some]


async def run(options: argparse.Namespace) -> None:
    """Prints both tables."""
    configure_logs("INFO")  # a line for each call, as a server writes it
    await parts(options)
    await overhead(options)


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--calls", type=int, default=160, help="of each side in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answer-ms", type=float, default=100.0, help="how long the model takes")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
