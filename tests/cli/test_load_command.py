"""`workbench load` against a real server: on schedule, with the server's own token counts, without retries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.sites import LiveServer, serve_live
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.cli import app
from workbench.core.call_times import CallTimes
from workbench.core.errors import BackendFailed

RUNNER = CliRunner()
BEFORE = 1
"""A request that nobody times, which asks whether the server tells times of its own."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serve_live(tmp_path, ScriptedBackend([Script("one two three four five")])) as server:
        yield server


def load(server: LiveServer, *arguments: str) -> dict[str, object]:
    done = RUNNER.invoke(
        app,
        ["load", "--model", server.model, "--base-url", server.base_url, "--json", *arguments],
        env={"WORKBENCH_API_KEY": server.api_key},
    )
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_server_is_loaded_over_the_wire(server: LiveServer) -> None:
    found = load(server, "--rate", "10/s", "--duration", "1s", "--output-tokens", "3")
    counts, latencies = found["requests"], found["latencies_ms"]
    assert isinstance(counts, dict)
    assert isinstance(latencies, dict)
    assert counts["ok"] == len(server.backend.calls) - BEFORE > 0
    assert counts["failed"] == 0
    assert found["measured_at"] == "client"
    assert latencies["ttft_ms"]["count"] == counts["ok"]
    assert 0 < latencies["ttft_ms"]["p50"] <= latencies["end_to_end_ms"]["p50"]


def test_a_workbench_tells_its_own_times_and_they_are_set_beside_the_clients(server: LiveServer) -> None:
    found = load(server, "--rate", "10/s", "--duration", "1s", "--output-tokens", "3")
    counts, both = found["requests"], found["both_sides_ms"]
    assert isinstance(counts, dict)
    assert isinstance(both, dict)
    assert both["requests"] == counts["ok"]
    assert both["queue"]["p50"] + both["prefill"]["p50"] > 0
    assert 0 < both["ttft"]["server"]["p50"] < both["ttft"]["client"]["p50"]
    assert both["ttft"]["difference"]["p50"] > 0


def test_a_server_that_tells_none_is_not_asked_again(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallTimes, "told", lambda value: None)
    found = load(server, "--rate", "5/s", "--duration", "1s", "--output-tokens", "3")
    assert found["both_sides_ms"] is None
    asked = [call.request.report_timing for call in server.backend.calls]
    assert asked == [True] + [False] * (len(asked) - 1)


def test_failures_are_counted_by_code_and_not_sent_again(tmp_path: Path) -> None:
    with serve_live(tmp_path, ScriptedBackend([Script("", error=BackendFailed("broken"))])) as server:
        found = load(server, "--rate", "5/s", "--duration", "1s")
        counts = found["requests"]
        assert isinstance(counts, dict)
        assert counts["failed"] == len(server.backend.calls) - BEFORE > 0
        assert counts["ok"] == 0


def test_a_sweep_gives_every_level_and_the_saturation_between_them(server: LiveServer) -> None:
    found = load(server, "--rate", "25/s", "--duration", "1s", "--sweep-to", "50/s", "--output-tokens", "2")
    levels = found["levels"]
    assert isinstance(levels, list)
    rates = [level["offered_per_minute"] for level in levels]
    assert rates == sorted(rates)
    assert set(rates) >= {1500.0}
    overloaded = [level["offered_per_minute"] for level in levels if level["state"] == "overloaded"]
    assert found["overloaded_per_minute"] == (min(overloaded) if overloaded else None)


def test_a_closed_loop_keeps_so_many_going(server: LiveServer) -> None:
    found = load(server, "--concurrency", "2", "--duration", "1s", "--output-tokens", "2")
    assert found["latencies_from"] == "sent"
    assert found["offered_per_minute"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--rate", "often"], "a rate is written like"), (["--duration", "-3s"], "a duration is written like")],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], said: str) -> None:
    done = RUNNER.invoke(app, ["load", "--model", "m", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert said in done.output
