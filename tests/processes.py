"""`workbench serve` as a process of its own, over scripted models."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = """
[[models]]
id = "scripted/model"
source = "Hello there."
backend = "scripted"
"""

# The page takes seconds to import and has tests of its own: these start the site without it.
WITHOUT_PAGE = """
import sys
from workbench import site
from workbench.cli import main
site.gradio_page = None
main(sys.argv[1:])
"""
WITH_PAGE = """
import sys
from workbench.cli import main
main(sys.argv[1:])
"""

# An answer of a minute, a word every 20 ms.
SLOWLY = """
from workbench.backends import scripted
script = scripted.Script("word " * 3000, token_seconds=0.02)
scripted.open_backend = lambda card, settings, progress: scripted.ScriptedBackend([script])
"""


class Process:
    """A `workbench serve` whose lines on standard output are read as they come."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        program: str = WITHOUT_PAGE,
        **environment: str,
    ) -> None:
        (home / "models.toml").write_text(CATALOGUE)
        self.errors = TemporaryFile("w+")  # noqa: SIM115 - closed below; a pipe that nobody reads stops who writes much
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--models", str(home / "models.toml"), *arguments],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def lines(self) -> list[str]:
        """Everything printed until the server answers."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith(("API keys:", "The key is shown")):
                return lines
        raise AssertionError(f"the server ended: {self._said_in_error()}")

    def end(self) -> tuple[int, str, str]:
        """Exit code and what was written, after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out, self._said_in_error()

    def _said_in_error(self) -> str:
        """Everything on standard error so far."""
        self.errors.seek(0)
        return self.errors.read()


@contextmanager
def serving(
    home: Path,
    program: str = WITHOUT_PAGE,
    *,
    port: int = 0,
    arguments: Sequence[str] = (),
    **environment: str,
) -> Iterator[Process]:
    """A server on this port, or a free one; killed when the context ends, if it has not ended by itself."""
    made = Process(home, "--port", str(port), *arguments, program=program, **environment)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.communicate()
        made.errors.close()


def value(lines: list[str], label: str) -> str:
    return next(line.split(": ", 1)[1].strip() for line in lines if line.startswith(f"{label}:"))


def ask(url: str, method: str, path: str, key: str, body: object = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request(method, path, json.dumps(body), {"Authorization": f"Bearer {key}"})
    return connection.getresponse()
