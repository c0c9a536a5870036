"""What screening with the embedded guard costs a chat: time to the first token, tokens a second, hold-back.

Run by hand: `python bench/guard_overhead.py --rounds 8`. Without a guard, with both sides scored and with both sides
blocked take turns in every round, so that whatever else the machine does falls on all of them; what is reported is the
median over the rounds of each round's ratio to its own unscreened part. The threshold is 1: everything is judged and
nothing is cut short. Not covered: the network.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guard.base import Direction, Guard
from guard.policy import Mode
from workbench.backends.catalogue import read_catalogue
from workbench.core.backend import CallContext
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import Message, Role
from workbench.core.settings import read_settings
from workbench.guard_cost import MODES, Prompts, judging_all, timed_call
from workbench.screening import EMBEDDED
from workbench.service import Workbench
from workbench.site import make_workbench

BATCH_ROWS = 64
SHORT_PROMPT = "How do I bake bread for {number} people without an oven?"  # 14 tokens
HEAD = """\
| at once | mode | TTFT ms | ratio | tokens/s | ratio | hold-back ms |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Load:
    """How the calls of one part of a round add up."""

    first_token_ms: float
    tokens_per_second: float
    holdback_ms: float | None


async def part(workbench: Workbench, mode: Mode, prompts: Prompts, concurrency: int, max_tokens: int) -> Load:
    """As many calls at once as `concurrency` says."""
    started = time.perf_counter()
    screening = judging_all(mode, EMBEDDED)
    calls = [
        timed_call(workbench, LOCAL_USER, prompts.next(), max_tokens, screening) for _ in range(concurrency)
    ]
    timings = await asyncio.gather(*calls)
    seconds = time.perf_counter() - started
    held = [timing.holdback_ms for timing in timings if timing.holdback_ms is not None]
    return Load(
        first_token_ms=statistics.median(timing.first_token_s for timing in timings) * 1000,
        tokens_per_second=sum(timing.tokens for timing in timings) / seconds,
        holdback_ms=statistics.median(held) if held else None,
    )


async def rounds(
    workbench: Workbench, options: argparse.Namespace, concurrency: int
) -> list[Mapping[Mode, Load]]:
    """Every mode once in each round, the order turned by one each time."""
    prompts = Prompts(options.prompt_tokens, random.Random(0))
    found: list[Mapping[Mode, Load]] = []
    for number in range(options.rounds):
        turned = [MODES[(number + place) % len(MODES)] for place in range(len(MODES))]
        found.append(
            {
                mode: await part(workbench, mode, prompts, concurrency, options.output_tokens)
                for mode in turned
            }
        )
    return found


def table(found: Sequence[Mapping[Mode, Load]], concurrency: int) -> str:
    """A row for each mode: medians over the rounds, and of the ratios the quartiles, too."""
    lines = []
    for mode in MODES:
        loads = [one[mode] for one in found]
        first = [one[mode].first_token_ms / one[Mode.OFF].first_token_ms for one in found]
        speed = [one[mode].tokens_per_second / one[Mode.OFF].tokens_per_second for one in found]
        held = [load.holdback_ms for load in loads if load.holdback_ms is not None]
        cells = [
            str(concurrency),
            mode.value,
            f"{statistics.median(load.first_token_ms for load in loads):.0f}",
            spread(first),
            f"{statistics.median(load.tokens_per_second for load in loads):.1f}",
            spread(speed),
            f"{statistics.median(held):.0f}" if mode is Mode.BLOCK and held else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(ratios: Sequence[float]) -> str:
    """The median, with the quartiles where there are enough values."""
    middle = f"{statistics.median(ratios):.2f}"
    if len(ratios) < 4:
        return middle
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{middle} ({low:.2f} to {high:.2f})"


async def alone(workbench: Workbench, options: argparse.Namespace) -> str:
    """The guard by itself: a prompt at a time, and many at once."""
    guard = await workbench.guards.open(EMBEDDED)
    prompts = Prompts(options.prompt_tokens, random.Random(1))
    conversations = [(Message(Role.USER, prompts.next()),) for _ in range(BATCH_ROWS)]
    short = [(Message(Role.USER, SHORT_PROMPT.format(number=number)),) for number in range(BATCH_ROWS)]
    short_ms = await median_check_ms(guard, short)
    long_ms = await median_check_ms(guard, conversations[:16])
    started = time.perf_counter()
    await guard.check_many(conversations, Direction.INPUT, CallContext("bench"))
    rate = BATCH_ROWS / (time.perf_counter() - started)
    return (
        f"The guard alone: p50 {short_ms:.1f} ms a short prompt, {long_ms:.0f} ms one of {options.prompt_tokens} "
        f"tokens; {rate:.1f} of the latter a second in a batch."
    )


async def median_check_ms(guard: Guard, conversations: Sequence[Sequence[Message]]) -> float:
    """Median milliseconds of one check at a time."""
    times = []
    for conversation in conversations:
        started = time.perf_counter()
        await guard.check(conversation, Direction.INPUT, CallContext("bench"))
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


async def run(options: argparse.Namespace) -> None:
    """Prints the tables."""
    workbench = make_workbench(read_settings(), read_catalogue(None))
    try:
        await workbench.warm(workbench.catalogue.default.id, LOCAL_USER)
        for mode in MODES:
            await part(workbench, mode, Prompts(options.prompt_tokens, random.Random(2)), 1, 8)
        sys.stdout.write(f"{await alone(workbench, options)}\n\n{HEAD}\n")
        for concurrency in options.concurrency:
            sys.stdout.write(table(await rounds(workbench, options, concurrency), concurrency) + "\n")
            sys.stdout.flush()
    finally:
        await workbench.stop(grace_seconds=0)


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--prompt-tokens", type=int, default=300)
    parser.add_argument("--output-tokens", type=int, default=64)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
