"""A server of another installation, as its user meets it: started by a command, told of by what it prints."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTUP_SECONDS = 240
MODEL = "packaged/model"
ANSWER = "It came in the package."
CATALOGUE = f"""
[[models]]
id = "{MODEL}"
source = "{ANSWER}"
backend = "scripted"
"""


@dataclass(frozen=True, slots=True)
class Served:
    """Where it listens, and the key it printed."""

    origin: str
    api_key: str


@contextmanager
def serve(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Served]:
    """Runs the command in `folder`, over a script, until the context ends.

    Raises: AssertionError with what it wrote instead of a key.
    """
    state = folder.with_name(f"{folder.name}-state")
    state.mkdir()
    catalogue, written = state / "models.toml", state / "written"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    port = _free_port()
    variables = {
        "WORKBENCH_MODELS": str(catalogue),
        "WORKBENCH_HOME": str(state / "home"),
        "WORKBENCH_PORT": str(port),
        **environment,
    }
    with written.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
    try:
        yield Served(f"http://127.0.0.1:{port}", _printed_key(process, written))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _printed_key(process: subprocess.Popen[bytes], written: Path) -> str:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"API key:\s+(\S+)\n", written.read_text("utf-8"))
        if found is not None:
            return found[1]
        time.sleep(0.2)
    raise AssertionError(f"the server did not start: {written.read_text('utf-8')}")
