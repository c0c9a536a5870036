"""What answers a benchmark's prompts: the engine in this process, servers over HTTP, and generate()."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

import httpx
import psutil
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from workbench.backends.local import LocalBackend
from workbench.core.backend import CallContext
from workbench.core.chat import Delta, GenerationRequest, TextPrompt
from workbench.core.openmp import release_workers
from workbench.core.params import GenerationParams

START_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Answer:
    """One prompt's answer; seconds from sending to the first text."""

    text: str
    first_s: float


Ask = Callable[[str, int], Awaitable[Answer]]
"""Answers one prompt greedily with that many tokens."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, and its process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked, and the process that does the work."""

    ask: Ask
    pid: int = field(default_factory=os.getpid)

    def processor_seconds(self) -> float:
        """Processor time its process and its children have used."""
        process = psutil.Process(self.pid)
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        return sum(float(time.user + time.system) for time in times)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def workbench_headers() -> dict[str, str]:
    """The header that opens this machine's Workbench: a key of an hour, made for the benchmark."""
    command = [
        sys.executable,
        "-m",
        "workbench",
        "keys",
        "create",
        "--name",
        "benchmark",
        "--expires",
        "1h",
        "--json",
    ]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}


@contextmanager
def server(command: Sequence[str], port: int, path: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """A server that answers under `path`, ended afterwards."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(f"http://127.0.0.1:{port}{path}"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start; exit status {process.poll()}.")
                time.sleep(0.2)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
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


def over_http(
    client: httpx.AsyncClient,
    url: str,
    model: str,
    extra: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> Ask:
    """Asks for a completion as a stream of server-sent events, with `extra` fields in the body."""

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
        async with client.stream("POST", url, json=body, headers=headers) as response:
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
        request = GenerationRequest("bench", TextPrompt(prompt), params)
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
        release_workers()  # or they slow down the subjects in this process that come after
        return str(tokenizer.decode(made[0, ids["input_ids"].shape[1] :]))

    async def ask(prompt: str, tokens: int) -> Answer:
        async with turn:
            return Answer(await asyncio.to_thread(answer, prompt, tokens), 0.0)

    return ask
