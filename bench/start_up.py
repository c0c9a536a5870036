"""How long starting takes: imports, the page, the first token; in new processes, so that nothing is warm but the disk.

Run by hand: `python -m bench.start_up --rounds 3`. The first round's figures are the cold ones where the machine has
not read these files lately; the median is over all rounds. The weights must be converted already.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from bench.subjects.answering import workbench_headers

IMPORTS = ("workbench.cli", "workbench.service", "workbench.engine.loop", "workbench.ui.app")
PATIENCE_SECONDS = 600
HEAD = "| what | first round, s | median, s |\n|---|---|---|"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


def seconds_to_import(module: str) -> float:
    """A new interpreter that imports the module and ends."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - began


def seconds_until(is_so: Callable[[], bool], began: float) -> float:
    """Seconds since `began` when it is so. Raises: TimeoutError."""
    while not is_so():
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise TimeoutError("The server did not come up.")
        time.sleep(0.02)
    return time.perf_counter() - began


def is_there(url: str) -> bool:
    """True when the address answers with success."""
    try:
        return httpx.get(url, timeout=30).is_success
    except httpx.TransportError:
        return False


def has_token(url: str, headers: dict[str, str]) -> bool:
    """True when the model answers with a token."""
    body = {"model": MODEL, "prompt": "The sea", "max_tokens": 1}
    try:
        return httpx.post(
            f"{url}/openai/v1/completions", json=body, headers=headers, timeout=PATIENCE_SECONDS
        ).is_success
    except httpx.TransportError:
        return False


def start(headers: dict[str, str]) -> dict[str, float]:
    """Seconds from the start of a server's process to its health route, its page and its first token."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url, began = f"http://127.0.0.1:{port}", time.perf_counter()
    command = [sys.executable, "-m", "workbench", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return {
            "process start to health": seconds_until(lambda: is_there(f"{url}/health/live"), began),
            "process start to page": seconds_until(lambda: is_there(f"{url}/"), began),
            "process start to first token": seconds_until(lambda: has_token(url, headers), began),
        }
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> None:
    """Reads the command line, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    headers = workbench_headers()
    for _ in range(options.rounds):
        for module in IMPORTS:
            found.setdefault(f"import {module}", []).append(seconds_to_import(module))
        for name, value in start(headers).items():
            found.setdefault(name, []).append(value)
    sys.stdout.write(f"Load average {os.getloadavg()[0]:.1f}\n\n{HEAD}\n")
    for name, values in found.items():
        sys.stdout.write(f"| {name} | {values[0]:.2f} | {statistics.median(values):.2f} |\n")


if __name__ == "__main__":
    main()
