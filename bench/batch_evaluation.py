"""Whether an experiment keeps the engine full: its tokens a second against those of the bare engine.

Run by hand: `python bench/batch_evaluation.py --rounds 4`. The same questions with answers of one length go straight
to the loaded model, all at once, and through an experiment, which asks, judges and stores them; the two take turns in
every round, so that whatever else the machine does falls on both. Reported is the median over the rounds of each
round's ratio. Not covered: the network, and likelihoods of choices.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from evaluators.data import load_builtin
from workbench.backends.catalogue import read_catalogue
from workbench.backends.local import open_backend
from workbench.backends.pool import Pool
from workbench.core.backend import CallContext
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, Finished, GenerationRequest, Message, Role
from workbench.core.params import GenerationParams
from workbench.core.settings import read_settings
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind
from workbench.experiments.run.progress import Progress
from workbench.experiments.run.runner import ExperimentRunner
from workbench.experiments.run.service_respondent import ServiceRespondent
from workbench.experiments.spec.experiment import Experiment, parse_experiment
from workbench.service import Workbench

DATA = "truthfulqa"


@dataclass(frozen=True, slots=True)
class Site:
    """The service, and the pool below it, where no gate and no accounts stand before the engine."""

    workbench: Workbench
    pool: Pool


def open_here() -> Site:
    """Both over this machine's catalogue of local models."""
    settings, catalogue = read_settings(), read_catalogue(None)
    pool = Pool(catalogue, lambda card, progress: open_backend(card, settings, progress))
    return Site(Workbench(settings, catalogue, pool), pool)


def params(tokens: int) -> GenerationParams:
    """Greedy answers of one length."""
    return GenerationParams(max_tokens=tokens, ignore_eos=True, temperature=0.0, seed=0)


async def bare(site: Site, model: str, items: int, tokens: int) -> float:
    """Tokens a second of the loaded model itself, given everything at once."""
    questions = load_builtin(DATA).samples[:items]

    async def answer(prompt: str) -> int:
        request = GenerationRequest(model, ChatPrompt((Message(Role.USER, prompt),)), params(tokens))
        async with (
            site.pool.lease(model) as backend,
            aclosing(backend.stream(request, CallContext("bench"))) as events,
        ):
            async for event in events:
                if isinstance(event, Finished):
                    return event.usage.completion_tokens
        return 0

    started = time.perf_counter()
    counts = await asyncio.gather(*(answer(question.prompt) for question in questions))
    return sum(counts) / (time.perf_counter() - started)


def experiment(model: str, items: int, tokens: int) -> Experiment:
    """The same questions as an experiment."""
    return parse_experiment(
        {
            "candidates": [{"model": model, "parameters": params(tokens).model_dump(exclude_none=True)}],
            "probes": [{"name": "all", "data": DATA, "evaluator": "length", "limit": items}],
        }
    )


async def batched(site: Site, model: str, items: int, tokens: int) -> float:
    """Tokens a second of the experiment, from its first question to its last stored answer."""

    def ignore(progress: Progress) -> None:
        """Nobody watches."""

    with tempfile.TemporaryDirectory() as scratch:
        folder = ExperimentFolder(Path(scratch) / "run")
        respondent = ServiceRespondent(site.workbench, LOCAL_USER)
        await ExperimentRunner(experiment(model, items, tokens), folder, respondent, ignore).run()
        seconds = next(row.seconds for row in folder.phases.read() if row.kind is PhaseKind.QUALITY)
        return sum(row.timing.output_tokens for row in folder.requests.read()) / seconds


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    site = open_here()
    workbench = site.workbench
    model = options.model or workbench.catalogue.default.id
    pairs: list[tuple[float, float]] = []
    try:
        await workbench.warm(model, LOCAL_USER)
        await bare(site, model, min(options.items, 8), options.tokens)
        for number in range(options.rounds):
            parts = [bare, batched] if number % 2 == 0 else [batched, bare]
            found = {part.__name__: await part(site, model, options.items, options.tokens) for part in parts}
            pairs.append((found["bare"], found["batched"]))
            sys.stderr.write(f"round {number + 1}: {found}\n")
    finally:
        await workbench.stop(grace_seconds=0)
    sys.stdout.write(table(pairs, model, options))


def table(pairs: Sequence[tuple[float, float]], model: str, options: argparse.Namespace) -> str:
    """Medians, and each round's ratio."""
    ratios = [second / first for first, second in pairs]
    every = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    return (
        "| model | items | tokens each | bare tokens/s | experiment tokens/s | ratio, median | every round |\n"
        "|---|---|---|---|---|---|---|\n"
        f"| {model} | {options.items} | {options.tokens} | {statistics.median(p[0] for p in pairs):.1f} "
        f"| {statistics.median(p[1] for p in pairs):.1f} | {statistics.median(ratios):.3f} | {every} |\n"
    )


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="a catalogue id; the default model by itself")
    parser.add_argument("--items", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=4)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
