"""Output tokens a second against what else runs these weights on this machine, alone and eight at once.

Run by hand: `python -m bench.engine_speed --rounds 3`. Subjects: the engine in this process, Workbench over HTTP with
server-sent events (float32 and int8), `transformers serve` plain and with continuous batching, `model.generate()` one
prompt after the other, and llama.cpp's server where `--llama-python` names an interpreter that has llama-cpp-python.
All of them are up at once; in each round each works alone, one after the other, on the same greedy prompts, and what is
reported is the median over the rounds, of ratios too. Tokens are counted from the texts by one tokenizer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from bench.subjects.answering import (
    Subject,
    by_generate,
    free_port,
    in_process,
    over_http,
    server,
    workbench_headers,
)
from workbench.backends.catalogue import read_catalogue
from workbench.backends.local import open_backend
from workbench.core.settings import read_settings
from workbench.engine.weights import ensure_embedded

EMBEDDED = "smollm2-135m-instruct"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LENGTHS = (30, 60, 120, 200, 300, 400, 500, 600)
WORDS = "The old baker opened his quiet shop at dawn while rain fell on the narrow street and children ran to school. "
HEAD = """\
| subject | at once | tokens/s | range | against the best of transformers | TTFT p50 ms | processor ms a token |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Result:
    """One subject's turn; `processor_ms` is processor time for each token of output."""

    tokens_per_second: float
    first_ms: float
    processor_ms: float


def prompts(tokenizer: PreTrainedTokenizerFast, turn: int) -> list[str]:
    """Eight texts of 30 to 600 tokens that no earlier turn has sent."""
    ids = tokenizer(WORDS * 40).input_ids
    return [f"{turn}. " + str(tokenizer.decode(ids[: length - 3])) for length in LENGTHS]


async def work(subject: Subject, texts: Sequence[str], tokens: int, count: Callable[[str], int]) -> Result:
    """All of these prompts at once."""
    began, used = time.perf_counter(), subject.processor_seconds()
    answers = await asyncio.gather(*(subject.ask(text, tokens) for text in texts))
    total, used = time.perf_counter() - began, subject.processor_seconds() - used
    made = sum(count(answer.text) for answer in answers)
    first = statistics.median(answer.first_s for answer in answers)
    return Result(made / total, first * 1000, used / max(made, 1) * 1000)


@asynccontextmanager
async def subjects(options: argparse.Namespace, folder: Path) -> AsyncIterator[dict[str, Subject]]:
    """Everything that answers, by name."""
    settings, catalogue = read_settings(), read_catalogue(None)
    precisions = {"float32": MODEL, "int8": f"{MODEL}:int8"}
    found: dict[str, Subject] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=1800))

        def serve(command: Sequence[str], path: str) -> tuple[str, int]:
            port = free_port()
            up = stack.enter_context(
                server([*command, "--port", str(port)], port, path, {"HF_HUB_OFFLINE": "1"})
            )
            return up.url, up.pid

        for name, model in precisions.items():
            backend = open_backend(catalogue.cards[model], settings, lambda stage, fraction: None)
            stack.push_async_callback(backend.close)
            found[f"engine, {name}"] = Subject(in_process(backend))
        url, pid = serve([sys.executable, "-m", "workbench", "serve"], "/health")
        headers = workbench_headers()
        for name, model in precisions.items():
            ask = over_http(client, f"{url}/openai/v1/completions", model, {"ignore_eos": True}, headers)
            found[f"HTTP, {name}"] = Subject(ask, pid)
        command = [
            str(Path(sys.executable).with_name("transformers")),
            "serve",
            str(folder),
            "--dtype",
            "float32",
        ]
        for flags in ([], ["--continuous-batching"]):
            url, pid = serve([*command, *flags], "/health")
            ask = over_http(client, f"{url}/v1/completions", str(folder), {})
            found[" ".join(["transformers serve", *flags])] = Subject(ask, pid)
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
        found["generate()"] = Subject(by_generate(plain, AutoTokenizer.from_pretrained(folder)))
        if options.llama_python is not None:
            llama = [str(options.llama_python), "-m", "llama_cpp.server", "--model", str(options.gguf)]
            url, pid = serve([*llama, "--n_ctx", "2048"], "/v1/models")
            found["llama.cpp"] = Subject(over_http(client, f"{url}/v1/completions", "any", {}), pid)
        yield found


def table(found: Mapping[tuple[str, int], Sequence[Result]]) -> str:
    """A row for each subject and concurrency."""
    lines = []
    for (name, at_once), results in found.items():
        speeds = [result.tokens_per_second for result in results]
        peers = [
            [result.tokens_per_second for result in others]
            for (other, count), others in found.items()
            if count == at_once and (other.startswith("transformers") or other == "generate()")
        ]
        best = max(peers, key=statistics.median) if peers else []
        ratio = f"{statistics.median(a / b for a, b in zip(speeds, best, strict=True)):.2f}" if best else ""
        first = statistics.median(result.first_ms for result in results)
        lines.append(
            f"| {name} | {at_once} | {statistics.median(speeds):.1f} | {min(speeds):.1f} to {max(speeds):.1f} "
            f"| {ratio} | {f'{first:.0f}' if first else ''} "
            f"| {statistics.median(result.processor_ms for result in results):.0f} |"
        )
    return "\n".join([HEAD, *lines])


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    folder = ensure_embedded(EMBEDDED, read_settings().home, lambda stage, fraction: None)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def count(text: str) -> int:
        return len(tokenizer(text).input_ids)

    found: dict[tuple[str, int], list[Result]] = {}
    async with subjects(options, folder) as named:
        for subject in named.values():
            await work(subject, prompts(tokenizer, 0)[:1], 2, count)
        for turn in range(1, options.rounds + 1):
            for at_once in options.concurrency:
                texts = prompts(tokenizer, turn)
                for name, subject in named.items():
                    chosen = texts[:at_once] if at_once > 1 else texts[2:3]
                    result = await work(subject, chosen, options.tokens, count)
                    found.setdefault((name, at_once), []).append(result)
                    sys.stderr.write(f"round {turn}, {at_once} at once, {name}: {result}\n")
    ordered = dict(sorted(found.items(), key=lambda item: item[0][1]))
    sys.stdout.write(f"Load average at the end: {os.getloadavg()[0]:.1f}\n\n{table(ordered)}\n")


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--llama-python", type=Path, help="an interpreter that has llama-cpp-python[server]")
    parser.add_argument("--gguf", type=Path, help="the original weights, for --llama-python")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
