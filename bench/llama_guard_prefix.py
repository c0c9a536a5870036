"""What reading Llama Guard's policy once saves: a verdict's time with the kept policy and without it.

Run by hand: `python bench/llama_guard_prefix.py FOLDER --kind llama-guard-3-8b`, FOLDER holding the guard's weights; or
random ones, which cost the same time: `python -m tests.guard.tiny_llama_guard FOLDER --hidden 512 --layers 8`. Each
question is new and asked by a key of its own, so that nothing but the policy can be reused. The way that keeps nothing
comes first: afterwards the policy is kept for everybody. A way's first verdict is reported apart.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from guard.base import Direction, Guard, GuardOptions
from guard.llama_guard import open_guard
from workbench.backends.local import LocalBackend, open_backend
from workbench.core.backend import CallContext, ModelCard, ModelInfo
from workbench.core.chat import GenerationRequest, Message, Prompt, Role, StreamEvent
from workbench.core.settings import Settings


class ForgetfulBackend:
    """The same model without what keeps a policy for everybody."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend

    @property
    def info(self) -> ModelInfo:
        """The model's, without shared prefixes."""
        info = self._backend.info
        return replace(info, features=info.features - {"shared_prefixes"})

    def stream(self, request: GenerationRequest, context: CallContext) -> AsyncGenerator[StreamEvent, None]:
        """The model's own stream."""
        return self._backend.stream(request, context)

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The model's own tokens."""
        return await self._backend.tokenize(prompt)

    async def close(self) -> None:
        """Nothing: the model belongs to somebody else."""


async def verdict_ms(guard: Guard, number: int, way: str) -> float:
    """One question that nobody asked before, by a key that nobody used before."""
    question = (Message(Role.USER, f"Question {number}: how long does a loaf take in this oven?"),)
    started = time.perf_counter()
    verdict = await guard.check(question, Direction.INPUT, CallContext(f"{way}-{number}"))
    if not verdict.is_available:
        raise SystemExit(f"The model gave no verdict: {verdict.reason}")
    return (time.perf_counter() - started) * 1000


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), torch_threads=options.threads)
        card = ModelCard("guard", str(options.folder), dtype="float32")
        backend = open_backend(card, settings, lambda *_: None)
        kept = open_guard(GuardOptions(options.kind), backend)
        read = open_guard(GuardOptions(options.kind), ForgetfulBackend(backend))
        times: dict[str, list[float]] = {"policy read each time": [], "policy kept": []}
        for number in range(options.rounds + 1):
            times["policy read each time"].append(await verdict_ms(read, number, "read"))
        for number in range(options.rounds + 1):
            times["policy kept"].append(await verdict_ms(kept, number, "kept"))
        await backend.close()
    sys.stdout.write("| way | first verdict ms | p50 ms | p95 ms |\n|---|---|---|---|\n")
    for way, (first, *rest) in times.items():
        p95 = statistics.quantiles(rest, n=20)[-1]
        sys.stdout.write(f"| {way} | {first:.0f} | {statistics.median(rest):.0f} | {p95:.0f} |\n")


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="llama-guard-3-8b")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
