"""Where a token's time goes: the forward pass, sampling, text, the service, the guard, and HTTP, in one table.

Run by hand: `python -m bench.token_time --rounds 3`. The same greedy answers go through one layer more each time, and
the layers take turns in every round: the engine's backend alone, the service around it, the service with the embedded
guard on both sides, and HTTP with server-sent events in another process. A layer's share is what it adds to the
milliseconds a token takes; inside the engine the parts of a step are timed. A layer below the noise shows as 0 or less.
The page's share needs a browser: `python -m bench.page_speed`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, aclosing
from typing import Any

import httpx

from bench.subjects.answering import free_port, over_http, server, workbench_headers
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from workbench.backends.catalogue import read_catalogue
from workbench.backends.local import LocalBackend, open_backend
from workbench.core.backend import CallContext
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Role
from workbench.core.params import GenerationParams
from workbench.core.settings import read_settings
from workbench.engine.loop import Engine
from workbench.screening import EMBEDDED, ScreeningChoice
from workbench.service import CallOptions, Workbench
from workbench.site import make_workbench

QUESTION = "Go on with this story, number {}. The old baker opened his quiet shop at dawn while rain fell."
HEAD = "| part | at once | ms a token | share |\n|---|---|---|---|"

Work = Callable[[int], Awaitable[None]]
"""Answers the question of this number to the end."""


class Parts:
    """Seconds that the parts of an engine's steps took, the inner ones taken off the outer."""

    def __init__(self, engine: Engine) -> None:
        self.seconds: dict[str, float] = {}
        runner, decode = engine._rows.runner, engine._decode
        self._wrap(runner, "decode", "forward passes: decoding")
        self._wrap(runner, "prefill", "forward passes: prompts")
        self._wrap(decode, "sample", "sampling, text and stop strings")
        engine._prefill._sample = decode.sample
        self._wrap(engine, "step", "the rest of the step")
        self._depth: list[float] = []

    def _wrap(self, owner: Any, name: str, part: str) -> None:
        inner = getattr(owner, name)

        def timed(*args: Any) -> Any:
            began = time.perf_counter()
            self._depth.append(0.0)
            try:
                return inner(*args)
            finally:
                whole = time.perf_counter() - began
                self.seconds[part] = self.seconds.get(part, 0.0) + whole - self._depth.pop()
                if self._depth:
                    self._depth[-1] += whole

        setattr(owner, name, timed)


def request(model: str, number: int, tokens: int) -> GenerationRequest:
    """A greedy answer of exactly that many tokens."""
    params = GenerationParams(temperature=0.0, max_tokens=tokens, ignore_eos=True)
    return GenerationRequest(model, ChatPrompt((Message(Role.USER, QUESTION.format(number)),)), params)


def through_backend(backend: LocalBackend, model: str, tokens: int) -> Work:
    """The engine and its backend."""

    async def work(number: int) -> None:
        async with aclosing(
            backend.stream(request(model, number, tokens), CallContext(f"{number}"))
        ) as events:
            async for _ in events:
                pass

    return work


def through_service(workbench: Workbench, model: str, tokens: int, screening: ScreeningChoice | None) -> Work:
    """The whole service, with a guard or without."""

    async def work(number: int) -> None:
        options = CallOptions(screening=screening)
        stream = workbench.stream(request(model, number, tokens), LOCAL_USER, options)
        async with aclosing(stream) as events:
            async for _ in events:
                pass

    return work


async def seconds_a_token(work: Work, numbers: Sequence[int], tokens: int) -> float:
    """Seconds for each token of these answers, all at once."""
    began = time.perf_counter()
    await asyncio.gather(*(work(number) for number in numbers))
    return (time.perf_counter() - began) / (tokens * len(numbers))


async def measure(
    layers: dict[str, Work], parts: Parts, options: argparse.Namespace, at_once: int
) -> list[str]:
    """The table's rows for so many calls at once."""
    found: dict[str, list[float]] = {name: [] for name in layers}
    inside: dict[str, list[float]] = {}
    for turn in range(options.rounds):
        for place, (name, work) in enumerate(layers.items()):
            parts.seconds.clear()
            first = (turn * len(layers) + place) * at_once + 1000 * at_once
            found[name].append(await seconds_a_token(work, range(first, first + at_once), options.tokens))
            if name == "engine":
                for part, seconds in parts.seconds.items():
                    inside.setdefault(part, []).append(seconds / (options.tokens * at_once))
    whole = statistics.median(found["HTTP"])
    rows = {part: statistics.median(seconds) for part, seconds in inside.items()}
    rows["events to the event loop"] = statistics.median(found["engine"]) - sum(rows.values())
    for name, before in (("service", "engine"), ("HTTP", "service"), ("guard", "service")):
        added = [a - b for a, b in zip(found[name], found[before], strict=True)]
        rows[f"{name}, added to the {before}"] = statistics.median(added)
    rows["all but the guard, over HTTP"] = whole
    return [f"| {part} | {at_once} | {s * 1000:.2f} | {s / whole:.1%} |" for part, s in rows.items()]


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    settings, catalogue = read_settings(), read_catalogue(None)
    model = options.model or catalogue.default.id
    side = DirectionPolicy(Mode.SCORE, threshold=1.0)
    screening = ScreeningChoice(ScreeningPolicy(side, side), EMBEDDED)
    workbench = make_workbench(settings, catalogue)
    backend = open_backend(catalogue.cards[model], settings, lambda stage, fraction: None)
    parts = Parts(backend._engine)
    await workbench.warm(model, LOCAL_USER)
    with ExitStack() as stack:
        port = free_port()
        command = [sys.executable, "-m", "workbench", "serve", "--port", str(port)]
        url = stack.enter_context(server(command, port, "/health", {})).url
        async with httpx.AsyncClient(timeout=600) as client:
            ask = over_http(
                client, f"{url}/openai/v1/completions", model, {"ignore_eos": True}, workbench_headers()
            )

            async def over_wire(number: int) -> None:
                await ask(QUESTION.format(number), options.tokens)

            layers = {
                "engine": through_backend(backend, model, options.tokens),
                "service": through_service(workbench, model, options.tokens, None),
                "guard": through_service(workbench, model, options.tokens, screening),
                "HTTP": over_wire,
            }
            for work in layers.values():
                await work(0)
            lines = [row for n in options.concurrency for row in await measure(layers, parts, options, n)]
    await workbench.stop(grace_seconds=0)
    await backend.close()
    sys.stdout.write(f"{model}; load average {os.getloadavg()[0]:.1f}\n\n{HEAD}\n" + "\n".join(lines) + "\n")


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a catalogue entry; default the first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
