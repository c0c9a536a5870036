"""How often a request's tokens differ between running alone and running inside a batch, and how close it was.

Run by hand: `python bench/batch_agreement.py --requests 48`. Every request runs alone, then all of them run at once
with mixed prompt lengths, greedy and seeded. What floating point moves shows as a first token that differs; after it
the two texts are different ones and are not compared. `gap` is the distance of the two best log-probabilities at that
token, in nats, when it ran alone. For a seeded draw what counts is the distance of the two tokens that came first in
the race (`workbench.engine.draws`), which an answer does not carry: the gap is left out there.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from workbench.backends.catalogue import read_catalogue
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import Delta, GenerationRequest, TextPrompt, TokenLogprob
from workbench.core.params import GenerationParams
from workbench.core.settings import read_settings
from workbench.service import Workbench
from workbench.site import make_workbench

TEMPERATURES = {"greedy": 0.0, "seeded, temperature 0.8": 0.8}
STORY = "the old baker opened his quiet shop at dawn while rain fell on the narrow street and children ran"
HEAD = """\
| sampling | at once | requests | tokens compared | requests that differ | differing tokens per 10,000 | largest gap |
|---|---|---|---|---|---|---|"""

Scores = list[TokenLogprob]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where two runs of the same requests part. `gaps` are in nats, one for each request that differs."""

    requests: int
    tokens: int
    gaps: tuple[float, ...]

    def row(self, sampling: str, at_once: int, *, has_gap: bool) -> str:
        """The table's row."""
        rate = len(self.gaps) / self.tokens * 10_000
        gap = f"{max(self.gaps):.1e}" if self.gaps and has_gap else ""
        return f"| {sampling} | {at_once} | {self.requests} | {self.tokens} | {len(self.gaps)} | {rate:.2f} | {gap} |"


def requests(count: int, model: str, temperature: float, max_tokens: int) -> list[GenerationRequest]:
    """Different prompts of 5 to 200 words, each with a seed of its own."""
    randomness, words = random.Random(0), STORY.split()
    params = [
        GenerationParams(max_tokens=max_tokens, temperature=temperature, seed=seed, ignore_eos=True)
        for seed in range(count)
    ]
    prompts = [" ".join(randomness.choices(words, k=randomness.randint(5, 200))) for _ in range(count)]
    return [
        GenerationRequest(model, TextPrompt(prompt), one, logprobs=2)
        for prompt, one in zip(prompts, params, strict=True)
    ]


async def tokens(workbench: Workbench, request: GenerationRequest) -> Scores:
    """The tokens of the answer, each with the two likeliest."""
    found: Scores = []
    async with aclosing(workbench.stream(request, LOCAL_USER)) as events:
        async for event in events:
            if isinstance(event, Delta):
                found += event.logprobs
    return found


async def in_batches(workbench: Workbench, asked: Sequence[GenerationRequest], at_once: int) -> list[Scores]:
    """All answers, `at_once` requests running whenever there are as many."""
    turn = asyncio.Semaphore(at_once)

    async def one(request: GenerationRequest) -> Scores:
        async with turn:
            return await tokens(workbench, request)

    return list(await asyncio.gather(*(one(request) for request in asked)))


def compare(alone: Sequence[Scores], together: Sequence[Scores]) -> Agreement:
    """Counts tokens up to the first that differs, in every request."""
    compared, gaps = 0, []
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            compared += 1
            if mine.token_id != theirs.token_id:
                best, second = (score.logprob or 0.0 for score in mine.top)
                gaps.append(best - second)
                break
    return Agreement(len(alone), compared, tuple(gaps))


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    workbench = make_workbench(read_settings(), read_catalogue(None))
    model = options.model or workbench.catalogue.default.id
    try:
        await workbench.warm(model, LOCAL_USER)
        sys.stdout.write(f"{HEAD}\n")
        for name, temperature in TEMPERATURES.items():
            asked = requests(options.requests, model, temperature, options.output_tokens)
            alone = await in_batches(workbench, asked, 1)
            again = compare(alone, await in_batches(workbench, asked, 1))
            sys.stdout.write(again.row(name, 1, has_gap=temperature == 0) + "\n")
            for at_once in options.at_once:
                found = compare(alone, await in_batches(workbench, asked, at_once))
                sys.stdout.write(found.row(name, at_once, has_gap=temperature == 0) + "\n")
                sys.stdout.flush()
    finally:
        await workbench.stop(grace_seconds=0)


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="catalogue id; default: the catalogue's first")
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--at-once", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--output-tokens", type=int, default=64)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
