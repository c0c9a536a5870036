"""What one caller waits for when others are served, and what a kept prefix saves.

Run by hand: `python -m bench.engine_waits --rounds 3`. Two questions over the engine in this process: how much the time
between tokens of eight running streams grows while a prompt of 600 tokens is read beside them, and how long the second
turn of a chat of 2,000 tokens waits for its first token with its own prefix kept and without. Both sides of each ratio
are measured in every round; what is reported is the median over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from workbench.backends.catalogue import read_catalogue
from workbench.backends.local import LocalBackend, open_backend
from workbench.core.backend import CallContext
from workbench.core.chat import Delta, GenerationRequest, TokenPrompt
from workbench.core.params import GenerationParams
from workbench.core.settings import read_settings

STREAMS = 8
LONG_PROMPT = 600
CHAT_TOKENS = 2000
TURN_TOKENS = 40
HEAD = "| question | without | with | ratio | aim |\n|---|---|---|---|---|"


@dataclass(slots=True)
class Stream:
    """When a request's tokens came, in seconds on the monotonic clock; `is_settled` is set at token `settled_at`."""

    settled_at: int = 1
    began: float = field(default_factory=time.monotonic)
    times: list[float] = field(default_factory=list)
    is_settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def first_ms(self) -> float:
        """Time to the first token."""
        return (self.times[0] - self.began) * 1000

    def gaps_ms(self, since: float, until: float) -> list[float]:
        """Times between tokens of which the second came between the two moments."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return [(late - early) * 1000 for early, late in pairs if since <= late <= until]


def request(ids: Sequence[int], tokens: int) -> GenerationRequest:
    """A greedy answer of exactly that many tokens."""
    params = GenerationParams(temperature=0.0, max_tokens=tokens, ignore_eos=True)
    return GenerationRequest("bench", TokenPrompt(tuple(ids)), params)


async def follow(backend: LocalBackend, asked: GenerationRequest, scope: str, stream: Stream) -> Stream:
    """Reads the answer and notes when its tokens were made."""
    async with aclosing(backend.stream(asked, CallContext(scope))) as events:
        async for event in events:
            if isinstance(event, Delta) and event.token_count:
                stream.times.append(event.at)
                if len(stream.times) == stream.settled_at:
                    stream.is_settled.set()
    return stream


def text(seed: int, length: int) -> list[int]:
    """Token ids that another seed does not begin with."""
    return [1000 + seed % 20000, *(1000 + (seed * 7919 + 31 * place) % 20000 for place in range(length - 1))]


async def beside(backend: LocalBackend, turn: int, tokens: int) -> tuple[float, float, float]:
    """The 95th percentile of the streams' gaps before and while a long prompt is read, and its first token; ms."""
    streams = [Stream(settled_at=tokens // 2) for _ in range(STREAMS)]
    tasks = [
        asyncio.create_task(
            follow(backend, request(text(turn * 100 + number, 60), tokens), f"stream {number}", stream)
        )
        for number, stream in enumerate(streams)
    ]
    await asyncio.gather(*(stream.is_settled.wait() for stream in streams))
    long = Stream()
    settled = max(stream.times[4] for stream in streams)
    await follow(backend, request(text(turn * 100 + 50, LONG_PROMPT), 1), f"long {turn}", long)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    calm = [gap for stream in streams for gap in stream.gaps_ms(settled, long.began)]
    busy = [gap for stream in streams for gap in stream.gaps_ms(long.began, long.times[0])]
    return percentile_95(calm), percentile_95(busy), long.first_ms


def percentile_95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


async def second_turn(backend: LocalBackend, turn: int) -> tuple[float, float]:
    """Milliseconds to the first token of a chat's second turn, its prefix unknown and known."""
    chat, addition = text(turn, CHAT_TOKENS), text(turn + 5, TURN_TOKENS)
    stranger = await follow(backend, request([*chat, *addition], 1), f"stranger {turn}", Stream())
    await follow(backend, request(chat, 2), f"chat {turn}", Stream())
    known = await follow(backend, request([*chat, *addition], 1), f"chat {turn}", Stream())
    return stranger.first_ms, known.first_ms


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    catalogue = read_catalogue(None)
    card = catalogue.cards[options.model] if options.model else catalogue.default
    backend = open_backend(card, read_settings(), lambda stage, fraction: None)
    try:
        await follow(backend, request(text(1, 80), 4), "warm-up", Stream())
        waits, turns = [], []
        for turn in range(1, options.rounds + 1):
            waits.append(await beside(backend, turn, options.tokens))
            turns.append(await second_turn(backend, 1000 + 10 * turn))
    finally:
        await backend.close()
    sys.stdout.write(f"{card.id}; load average {os.getloadavg()[0]:.1f}\n\n{HEAD}\n")
    rows = (
        (
            "p95 between tokens of 8 streams, ms, a 600-token prompt beside them",
            [w[:2] for w in waits],
            "< 2",
        ),
        ("first token of a 2,000-token chat's second turn, ms, its prefix kept", turns, "<= 0.25"),
    )
    for name, pairs, aim in rows:
        without = statistics.median(pair[0] for pair in pairs)
        with_it = statistics.median(pair[1] for pair in pairs)
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        sys.stdout.write(f"| {name} | {without:.0f} | {with_it:.0f} | {ratio:.2f} | {aim} |\n")
    sys.stdout.write(
        f"\nFirst token of the 600-token prompt: {statistics.median(w[2] for w in waits):.0f} ms.\n"
    )


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a catalogue entry; default the first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=300, help="how long the eight streams run at most")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
