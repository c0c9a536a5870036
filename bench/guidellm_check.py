"""Our load test against GuideLLM's, over one server: is a TTFT a TTFT, and the time between tokens the same?

Run by hand, with GuideLLM in an environment of its own (`python -m venv guidellm; guidellm/bin/pip install guidellm`):
`python -m bench.guidellm_check --guidellm guidellm/bin/guidellm`. The embedded model is served by a process of its own;
the two tools ask it the same prompt for the same number of tokens, so many at a time, and take turns so that what else
runs on the machine meets both. GuideLLM counts with the model's own tokenizer; nothing is downloaded. With `--address`
a server that already runs is asked, with the key in WORKBENCH_API_KEY.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.flood import make_key, real_server
from workbench.backends.catalogue import EMBEDDED_ID
from workbench.core.settings import Settings

PROMPT = "Explain in a few sentences why the sky is blue."


def ours(address: str, environment: Mapping[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """The medians that `workbench load` gives, in milliseconds."""
    command = [
        *(sys.executable, "-m", "workbench", "load", "--model", options.model, "--base-url", f"{address}/openai/v1"),
        *("--concurrency", str(options.at_once), "--duration", f"{options.seconds}s", "--prompt", PROMPT),
        *("--output-tokens", str(options.tokens), "--json"),
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)["latencies_ms"]
    return {
        "ttft": found["ttft_ms"]["p50"],
        "itl": found["tpot_ms"]["p50"],
        "count": found["ttft_ms"]["count"],
    }


def theirs(
    address: str, environment: Mapping[str, str], options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """The medians that `guidellm run` gives, in milliseconds."""
    data, report = folder / "prompts.json", folder / "report.json"
    row = {"prompt": PROMPT, "output_tokens_count": options.tokens}
    data.write_text(json.dumps([row] * 1000), "utf-8")
    key = environment["WORKBENCH_API_KEY"]
    backend = {
        "kind": "openai_http",
        "target": f"{address}/openai",
        "model": options.model,
        "api_key": key,
        "request_format": "/v1/chat/completions",
        "http2": False,
    }
    command = [
        *(options.guidellm, "run", "--backend", json.dumps(backend)),
        *("--profile", json.dumps({"kind": "concurrent", "streams": options.at_once})),
        *("--constraint", json.dumps({"kind": "max_duration", "seconds": options.seconds})),
        *("--data", json.dumps({"kind": "json_file", "path": str(data)})),
        *("--tokenizer", json.dumps({"kind": "hf_auto", "model": str(tokenizer())})),
        *("--output", json.dumps({"kind": "json", "path": str(report)}), "--disable-console"),
    ]
    offline = {**environment, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    subprocess.run(command, env=offline, check=True, capture_output=True, text=True)
    metrics = json.loads(report.read_text("utf-8"))["benchmarks"][0]["metrics"]
    first, gap = (
        metrics[name]["successful"] for name in ("time_to_first_token_ms", "inter_token_latency_ms")
    )
    return {"ttft": first["median"], "itl": gap["median"], "count": first["count"]}


def tokenizer() -> Path:
    """The folder of the embedded model's tokenizer."""
    return next(Settings().home.glob("models/*/tokenizer.json")).parent


@asynccontextmanager
async def opened(options: argparse.Namespace) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
    """The server's address, and an environment with a key for it."""
    if options.address:
        yield options.address, os.environ
        return
    async with real_server() as (address, environment):
        key = await asyncio.to_thread(make_key, "guidellm", environment)
        yield address, {**environment, "WORKBENCH_API_KEY": key}


async def compare(options: argparse.Namespace) -> None:
    """Prints both tools' medians round by round, and the ratio of their medians over all rounds."""
    rounds: list[tuple[dict[str, Any], dict[str, Any]]] = []
    sys.stdout.write(
        "| round | requests, ours / GuideLLM | TTFT p50 ms | between tokens p50 ms |\n|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        async with opened(options) as (address, environment):
            for number in range(1, options.rounds + 1):
                mine = await asyncio.to_thread(ours, address, environment, options)
                other = await asyncio.to_thread(theirs, address, environment, options, Path(folder))
                rounds.append((mine, other))
                sys.stdout.write(
                    f"| {number} | {mine['count']:.0f} / {other['count']:.0f} "
                    f"| {mine['ttft']:.1f} / {other['ttft']:.1f} | {mine['itl']:.2f} / {other['itl']:.2f} |\n"
                )
                sys.stdout.flush()
    ratios = {
        name: np.median([mine[name] for mine, _ in rounds]) / np.median([other[name] for _, other in rounds])
        for name in ("ttft", "itl")
    }
    sys.stdout.write(f"| ratio of medians | | {ratios['ttft']:.3f} | {ratios['itl']:.3f} |\n")


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--guidellm", default="guidellm", help="its executable")
    parser.add_argument("--address", help="of a server that already runs, as in http://127.0.0.1:7860")
    parser.add_argument("--model", default=EMBEDDED_ID)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=20, help="of each tool in each round")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=32)
    asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    main()
