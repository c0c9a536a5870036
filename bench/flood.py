"""What a flood of one key does to another, over the embedded model.

Run by hand: `python bench/flood.py`. The server runs as a process. One key sends `--flood` requests at once and each
again as soon as it may (Retry-After), while another key asks one question after the other, 60 words each and none
like another. Its time to the first token is compared with what it was before the flood.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from workbench.core.settings import Settings

CHAT = "/openai/v1/chat/completions"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WORDS = ("baker", "quiet", "shop", "dawn", "rain", "narrow", "street", "children", "old", "fell", "ran")


@asynccontextmanager
async def real_server() -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The address of a server with a store of its own and the real model, and the environment of its commands."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(Settings().home / "models")
        environment = {**os.environ, "WORKBENCH_HOME": folder, "WORKBENCH_GUARD": "off"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "workbench", "serve", "--port", "0",
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            printed = await process.stdout.readline() if process.stdout is not None else b""
            address = printed.decode().removeprefix("Workbench: ").strip()
            async with httpx.AsyncClient(timeout=120) as client:
                while (await client.get(f"{address}/health/ready")).status_code != 200:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.5)
            yield address, environment
        finally:
            process.terminate()
            await process.wait()


def make_key(name: str, environment: dict[str, str]) -> str:
    """A new key of the running server."""
    command = [sys.executable, "-m", "workbench", "keys", "create", "--name", name, "--json"]
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return str(json.loads(made.stdout)["key"])


def new_question(seed: int) -> dict[str, Any]:
    """Messages that begin like no others, so that nothing of them is known from before."""
    content = " ".join(random.Random(seed).choices(WORDS, k=60))
    return {"messages": [{"role": "user", "content": content}]}


async def first_token(client: httpx.AsyncClient, body: dict[str, Any]) -> float | None:
    """Seconds from sending to the first token; None when the call was refused."""
    begun, found = time.perf_counter(), None
    async with client.stream("POST", CHAT, json={**body, "stream": True}) as answer:
        async for line in answer.aiter_lines():
            if found is None and '"content":"' in line and '"content":""' not in line:
                found = time.perf_counter() - begun
    return found


async def flood(options: argparse.Namespace) -> None:
    """Prints what the flood was answered, and the other key's time to the first token before and during it."""
    async with real_server() as (address, environment):
        keys = [await asyncio.to_thread(make_key, name, environment) for name in ("flood", "person")]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        many, one = (
            httpx.AsyncClient(
                base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=120, limits=limits
            )
            for key in keys
        )
        async with many, one:
            model = (await one.get("/openai/v1/models")).json()["data"][0]["id"]
            body = {"model": model, "messages": QUESTION, "max_tokens": 16, "temperature": 0}
            await first_token(one, body)
            quiet = [await first_token(one, body | new_question(i)) for i in range(options.questions)]
            answers: Counter[str] = Counter()
            flooding = [asyncio.create_task(keep_sending(many, body, answers)) for _ in range(options.flood)]
            await asyncio.sleep(2)
            busy = [await first_token(one, body | new_question(~i)) for i in range(options.questions)]
            for task in flooding:
                task.cancel()
            await asyncio.gather(*flooding, return_exceptions=True)
    sys.stdout.write(f"the flood of {options.flood} was answered: {dict(answers)}\n\n")
    sys.stdout.write("| TTFT of the other key | answered | p50 s | p95 s |\n|---|---|---|---|\n")
    for name, times in (("quiet", quiet), ("in the flood", busy)):
        heard = [taken for taken in times if taken is not None]
        p50, p95 = np.percentile(heard, [50, 95])
        sys.stdout.write(f"| {name} | {len(heard)} of {len(times)} | {p50:.3f} | {p95:.3f} |\n")


async def keep_sending(client: httpx.AsyncClient, body: dict[str, Any], answers: Counter[str]) -> None:
    """Sends again and again, as soon as it may; counts the answers by status."""
    while True:
        answer = await client.post(CHAT, json=body)
        answers[str(answer.status_code)] += 1
        await asyncio.sleep(float(answer.headers.get("retry-after", 0)))


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flood", type=int, default=200)
    parser.add_argument("--questions", type=int, default=40)
    asyncio.run(flood(parser.parse_args()))


if __name__ == "__main__":
    main()
