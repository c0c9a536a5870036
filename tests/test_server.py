"""The server as a process: what it prints, what it logs, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.core.settings import Settings
from workbench.server import open_listener

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 30.0
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
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--models", str(home / "models.toml"), *arguments],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
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
        raise AssertionError(f"the server ended: {self.process.stderr.read() if self.process.stderr else ''}")

    def end(self) -> tuple[int, str, str]:
        """Exit code and what was written, after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def serving(home: Path, program: str = WITHOUT_PAGE, **environment: str) -> Iterator[Process]:
    made = Process(home, "--port", "0", program=program, **environment)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.communicate()


def value(lines: list[str], label: str) -> str:
    return next(line.split(": ", 1)[1].strip() for line in lines if line.startswith(f"{label}:"))


def ask(url: str, method: str, path: str, key: str, body: object = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request(method, path, json.dumps(body), {"Authorization": f"Bearer {key}"})
    return connection.getresponse()


def test_answers_are_not_held_back_by_nagles_algorithm(tmp_path: Path) -> None:
    with open_listener(Settings(home=tmp_path, port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_the_first_start_prints_one_key_once_and_a_later_one_none(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        lines = first.lines()
        url, key = value(lines, "Workbench"), value(lines, "API key")
        assert value(lines, "API") == f"{url}/openai/v1"
        assert ask(url, "GET", "/openai/v1/models", key).status == 200
        code, out, err = first.end()
    assert code == 0
    assert ("\n".join(lines) + out + err).count("wb-") == 1
    with serving(tmp_path) as second:
        lines = second.lines()
        assert ask(value(lines, "Workbench"), "GET", "/openai/v1/models", key).status == 200
        code, out, err = second.end()
    assert "wb-" not in "\n".join(lines) + out + err


def test_a_key_made_or_revoked_by_the_command_line_counts_at_the_next_request(tmp_path: Path) -> None:
    environment = {**os.environ, "WORKBENCH_HOME": str(tmp_path)}

    def keys(*arguments: str) -> str:
        command = [sys.executable, "-m", "workbench", "keys", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    with serving(tmp_path) as server:
        url = value(server.lines(), "Workbench")
        made = json.loads(keys("create", "--name", "from the terminal", "--json"))
        assert ask(url, "GET", "/openai/v1/models", made["key"]).status == 200
        rotated = json.loads(keys("rotate", made["id"], "--json"))
        assert ask(url, "GET", "/openai/v1/models", made["key"]).status == 401
        assert ask(url, "GET", "/openai/v1/models", rotated["key"]).status == 200
        keys("revoke", made["id"])
        assert ask(url, "GET", "/openai/v1/models", rotated["key"]).status == 401


def test_a_password_in_the_environment_makes_the_first_admin_and_turns_log_ins_on(tmp_path: Path) -> None:
    with serving(tmp_path, WORKBENCH_ADMIN_PASSWORD="kept in the environment") as server:
        lines = server.lines()
        url, key = value(lines, "Workbench"), value(lines, "API key")
        assert ask(url, "GET", "/", "none").status == 401
        assert ask(url, "GET", "/openai/v1/models", key).status == 200
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        connection.request("POST", "/login", "name=admin&password=kept+in+the+environment")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 303
        cookie = (answer.getheader("set-cookie") or "").split(";")[0]
        connection.request("GET", "/openai/v1/models", headers={"Cookie": cookie})
        assert connection.getresponse().status == 200
        _, out, err = server.end()
    assert "kept in the environment" not in "\n".join(lines) + out + err


def test_nothing_of_a_request_is_logged_at_any_level(tmp_path: Path) -> None:
    with serving(tmp_path, WORKBENCH_LOG_LEVEL="DEBUG") as server:
        lines = server.lines()
        url, key = value(lines, "Workbench"), value(lines, "API key")
        canary = "xyzzy-canary"
        message = {"role": "user", "content": canary}
        sent: list[object] = [
            {"model": "scripted/model", "messages": [message]},
            {"model": "scripted/model", "messages": [message], "stream": True},
            {"model": canary, "messages": [message]},
            {"model": "scripted/model", "messages": [message], canary: 1},
            {"model": "scripted/model", "messages": [message], "stop": [canary, 5]},
            {"model": "scripted/model", "messages": [{"role": canary}]},
        ]
        for body in sent:
            ask(url, "POST", "/openai/v1/chat/completions", key, body).read()
        ask(url, "GET", f"/openai/v1/models/{canary}", key).read()
        ask(url, "GET", f"/openai/{canary}?{canary}", f"wb-{canary}").read()
        _, out, err = server.end()
    assert "/openai/v1/chat/completions" in err
    assert canary not in out + err
    assert key not in out + err
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert canary.encode() not in file.read_bytes(), file


@contextmanager
def streaming(server: Process) -> Iterator[tuple[str, str, list[bytes]]]:
    """URL, key and, when the context ends, all that a stream begun before it has said."""
    lines = server.lines()
    url, key = value(lines, "Workbench"), value(lines, "API key")
    body = {"model": "scripted/model", "prompt": "go", "stream": True}
    answer = ask(url, "POST", "/openai/v1/completions", key, body)
    assert (answer.status, answer.read(6)) == (200, b"data: ")
    read: list[bytes] = []

    def read_on() -> None:
        try:
            said = answer.read()
        except http.client.IncompleteRead as cut:
            said = cut.partial
        read.extend(said.strip().split(b"\n\n"))

    reader = threading.Thread(target=read_on)
    reader.start()
    yield url, key, read
    reader.join(PATIENCE_SECONDS)
    assert not reader.is_alive(), "the stream did not end"


def test_a_server_that_stops_says_so_and_lets_its_streams_end(tmp_path: Path) -> None:
    script = SLOWLY.replace("3000", "200")  # four seconds
    with serving(tmp_path, script + WITHOUT_PAGE, WORKBENCH_SHUTDOWN_GRACE="300") as server:
        with streaming(server) as (url, key, read):
            server.process.send_signal(signal.SIGTERM)
            body = {"model": "scripted/model", "prompt": "go", "max_tokens": 1}
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (refused := ask(url, "POST", "/openai/v1/completions", key, body)).status == 200:
                assert time.monotonic() < deadline, "the server took more calls in after it was told to stop"
            assert refused.status == 503
            assert int(refused.getheader("retry-after") or 0) >= 1
            assert json.loads(refused.read())["error"]["code"] == "overloaded"
            assert ask(url, "GET", "/health/ready", key).status == 503
            assert ask(url, "GET", "/health/live", key).status == 200
            assert server.process.poll() is None
        assert server.process.wait(PATIENCE_SECONDS) == 0
    assert read[-1] == b"data: [DONE]"
    assert json.loads(read[-2].removeprefix(b"data: "))["choices"][0]["finish_reason"] == "stop"


def test_a_stream_that_outlives_the_servers_patience_ends_with_an_error_event(tmp_path: Path) -> None:
    with serving(tmp_path, SLOWLY + WITHOUT_PAGE, WORKBENCH_SHUTDOWN_GRACE="0.5") as server:
        with streaming(server) as (_, _, read):
            server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    assert read[-1] == b"data: [DONE]"
    assert json.loads(read[-2].removeprefix(b"data: "))["error"]["code"] == "overloaded"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_waits_for_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with (
        serving(tmp_path, SLOWLY + WITHOUT_PAGE, WORKBENCH_SHUTDOWN_GRACE="300") as server,
        streaming(server) as (url, key, _),
    ):
        server.process.send_signal(number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while ask(url, "GET", "/health/ready", key).status == 200:
            assert time.monotonic() < deadline, "the signal was not heard"
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE_SECONDS) == 0
