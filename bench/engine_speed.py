"""Output tokens a second against what else runs these weights on this machine, alone and eight at once.

Run by hand: `python bench/engine_speed.py --rounds 3`. Subjects: the engine in this process, Workbench over HTTP with
server-sent events (float32 and int8), `transformers serve` plain and with continuous batching, `model.generate()` one
prompt after the other, and llama.cpp's server where `--llama-python` names an interpreter that has llama-cpp-python.
All of them are up at once; in each round each works alone, one after the other, on the same greedy prompts, and what is
reported is the median over the rounds, of ratios too. Tokens are counted from the texts by one tokenizer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from workbench.backends.catalogue import read_catalogue
from workbench.backends.local import LocalBackend, open_backend
from workbench.core.backend import CallContext
from workbench.core.chat import Delta, GenerationRequest, TextPrompt
from workbench.core.params import GenerationParams
from workbench.core.settings import read_settings
from workbench.engine.weights import ensure_embedded

EMBEDDED = "smollm2-135m-instruct"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LENGTHS = (30, 60, 120, 200, 300, 400, 500, 600)
WORDS = "The old baker opened his quiet shop at dawn while rain fell on the narrow street and children ran to school. "
START_SECONDS = 300
HEAD = """\
| subject | at once | tokens/s | quartiles | against the best of transformers | TTFT p50 ms |
|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One prompt's answer; seconds from sending to the first text."""

    text: str
    first_s: float


Ask = Callable[[str, int], Awaitable[Answer]]
"""Answers one prompt greedily with that many tokens."""


@dataclass(frozen=True, slots=True)
class Result:
    """One subject's turn."""

    tokens_per_second: float
    first_ms: float


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(command: Sequence[str], port: int, path: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a server that answers under `path`, ended afterwards."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(f"http://127.0.0.1:{port}{path}"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start; exit status {process.poll()}.")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False


def over_http(client: httpx.AsyncClient, url: str, model: str, extra: Mapping[str, object]) -> Ask:
    """Asks for a completion as a stream of server-sent events."""

    async def ask(prompt: str, tokens: int) -> Answer:
        body = {
            "model": model,
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
            **extra,
        }
        began, first, text = time.perf_counter(), 0.0, ""
        async with client.stream("POST", url, json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                choices = json.loads(line.removeprefix("data: ")).get("choices") or [{}]
                text += choices[0].get("text") or ""
                first = first or (time.perf_counter() - began if text else 0.0)
        return Answer(text, first)

    return ask


def in_process(backend: LocalBackend) -> Ask:
    """Asks the engine in this process."""

    async def ask(prompt: str, tokens: int) -> Answer:
        params = GenerationParams(temperature=0.0, max_tokens=tokens, ignore_eos=True)
        request = GenerationRequest(MODEL, TextPrompt(prompt), params)
        began, first, text = time.perf_counter(), 0.0, ""
        async with aclosing(backend.stream(request, CallContext(f"bench {began}"))) as events:
            async for event in events:
                if isinstance(event, Delta):
                    text += event.content
                    first = first or time.perf_counter() - began
        return Answer(text, first)

    return ask


def by_generate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> Ask:
    """Asks transformers' generate(), which answers one prompt at a time."""
    turn = asyncio.Lock()

    def answer(prompt: str, tokens: int) -> str:
        ids = tokenizer(prompt, return_tensors="pt")
        made = model.generate(
            **ids, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False, pad_token_id=0
        )
        return str(tokenizer.decode(made[0, ids["input_ids"].shape[1] :]))

    async def ask(prompt: str, tokens: int) -> Answer:
        async with turn:
            return Answer(await asyncio.to_thread(answer, prompt, tokens), 0.0)

    return ask


def prompts(tokenizer: PreTrainedTokenizerFast, turn: int) -> list[str]:
    """Eight texts of 30 to 600 tokens that no earlier turn has sent."""
    ids = tokenizer(WORDS * 40).input_ids
    return [f"{turn}. " + str(tokenizer.decode(ids[: length - 3])) for length in LENGTHS]


async def work(ask: Ask, texts: Sequence[str], tokens: int, count: Callable[[str], int]) -> Result:
    """All of these prompts at once."""
    began = time.perf_counter()
    answers = await asyncio.gather(*(ask(text, tokens) for text in texts))
    total = time.perf_counter() - began
    made = sum(count(answer.text) for answer in answers)
    return Result(made / total, statistics.median(answer.first_s for answer in answers) * 1000)


@asynccontextmanager
async def subjects(options: argparse.Namespace) -> AsyncIterator[dict[str, Ask]]:
    """Everything that answers, by name."""
    settings, catalogue = read_settings(), read_catalogue(None)
    folder = ensure_embedded(EMBEDDED, settings.home, lambda stage, fraction: None)
    tokenizer, python = AutoTokenizer.from_pretrained(folder), sys.executable
    with ExitStack() as stack:
        client = await _entered(httpx.AsyncClient(timeout=600))
        asks: dict[str, Ask] = {}
        opened = []
        for name, model in (("engine, float32", MODEL), ("engine, int8", f"{MODEL}:int8")):
            opened.append(open_backend(catalogue.cards[model], settings, lambda stage, fraction: None))
            asks[name] = in_process(opened[-1])
        port = free_port()
        command = [python, "-m", "workbench", "serve", "--port", str(port)]
        url = stack.enter_context(server(command, port, "/openai/health", {}))
        for name, model in (("HTTP, float32", MODEL), ("HTTP, int8", f"{MODEL}:int8")):
            asks[name] = over_http(client, f"{url}/openai/v1/completions", model, {"ignore_eos": True})
        for name, flag in (
            ("transformers serve", ()),
            ("transformers serve --continuous-batching", ("--continuous-batching",)),
        ):
            port = free_port()
            serve = [
                str(Path(python).with_name("transformers")),
                "serve",
                str(folder),
                "--port",
                str(port),
                "--dtype",
                "float32",
            ]
            url = stack.enter_context(server([*serve, *flag], port, "/health", {"HF_HUB_OFFLINE": "1"}))
            asks[name] = over_http(client, f"{url}/v1/completions", str(folder), {})
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
        asks["generate()"] = by_generate(plain, tokenizer)
        if options.llama_python is not None:
            port = free_port()
            llama = [
                str(options.llama_python),
                "-m",
                "llama_cpp.server",
                "--model",
                str(options.gguf),
                "--port",
                str(port),
            ]
            url = stack.enter_context(server([*llama, "--n_ctx", "2048"], port, "/v1/models", {}))
            asks["llama.cpp, Q4_1"] = over_http(client, f"{url}/v1/completions", "any", {})
        try:
            yield asks
        finally:
            await client.aclose()
            for backend in opened:
                await backend.close()


async def _entered(client: httpx.AsyncClient) -> httpx.AsyncClient:
    return await client.__aenter__()


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
            f"| {ratio} | {f'{first:.0f}' if first else ''} |"
        )
    return "\n".join([HEAD, *lines])


async def run(options: argparse.Namespace) -> None:
    """Prints the table."""
    async with subjects(options) as asks:
        folder = ensure_embedded(EMBEDDED, read_settings().home, lambda stage, fraction: None)
        tokenizer = AutoTokenizer.from_pretrained(folder)

        def count(text: str) -> int:
            return len(tokenizer(text).input_ids)

        found: dict[tuple[str, int], list[Result]] = {}
        for ask in asks.values():
            await work(ask, prompts(tokenizer, 0)[:2], 4, count)
        for turn in range(1, options.rounds + 1):
            for at_once in options.concurrency:
                texts = prompts(tokenizer, turn)
                chosen = texts if at_once > 1 else texts[2:3]
                for name, ask in asks.items():
                    result = await work(ask, chosen[:at_once], options.tokens, count)
                    found.setdefault((name, at_once), []).append(result)
                    sys.stderr.write(
                        f"round {turn}, {at_once} at once, {name}: {result.tokens_per_second:.1f}\n"
                    )
        load = os.getloadavg()[0]
        sys.stdout.write(
            f"Load average at the end: {load:.1f}\n\n{table(dict(sorted(found.items(), key=lambda x: x[0][1])))}\n"
        )


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
