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

from tests.processes import ROOT, SLOWLY, WITHOUT_PAGE, Process, ask, serving, value
from workbench.core.settings import Settings
from workbench.server import open_listener

PATIENCE_SECONDS = 30.0


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
