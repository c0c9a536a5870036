"""What /metrics says, by the events of scripted calls."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import AsyncGenerator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from guard.base import Direction, Screened, Verdict, VerdictState
from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import ADMIN_KEY, MODEL, LiveServer, Site
from workbench.admission import GateLoad
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import (
    Delta,
    Finished,
    GenerationRequest,
    Started,
    StreamEvent,
    TextPrompt,
    TrafficClass,
    Usage,
)
from workbench.core.errors import RateLimited
from workbench.telemetry import Telemetry

CHAT = "/openai/v1/chat/completions"
LABELS = {"gen_ai_request_model": MODEL}
PATIENCE_SECONDS = 60.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Numbers:
    """The samples of an exposition."""

    def __init__(self, text: str) -> None:
        self.names: set[str] = set()
        self.samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.names.add(sample.name)
                self.samples[sample.name, frozenset(sample.labels.items())] = sample.value

    def value(self, name: str, **labels: str) -> float:
        """The sample with exactly these labels; 0 before it was ever counted."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)


def numbers(telemetry: Telemetry) -> Numbers:
    return Numbers(telemetry.exposition()[0].decode())


def telemetry(clock: Clock | None = None) -> Telemetry:
    return Telemetry(lambda: GateLoad(3, 2, 5), clock or Clock())


def watched(events: list[StreamEvent], *, ends_at: float) -> Numbers:
    clock = Clock()
    counted = telemetry(clock)
    with counted.call(MODEL, "chat", TrafficClass.INTERACTIVE) as watch:
        watch.admitted(0.25)
        for event in events:
            watch.see(event)
        clock.now = ends_at
    return numbers(counted)


ANSWER: list[StreamEvent] = [
    Started(7, "f"),
    Delta(0, "", at=100.1),
    Delta(0, "a", token_count=1, at=100.5),
    Delta(0, "b", token_count=1, at=100.6),
    Delta(0, "cd", token_count=2, at=100.8),
    Finished(Usage(7, 4)),
]


def test_gauges_are_what_the_gate_holds() -> None:
    read = numbers(telemetry())
    names = ("workbench_requests_running", "workbench_requests_waiting", "workbench_slots_in_use")
    assert [read.value(name) for name in names] == [3, 2, 5]


def test_latencies_follow_their_definitions() -> None:
    read = watched(ANSWER, ends_at=101.1)

    def total(name: str) -> list[float]:
        return [read.value(f"{name}_count", **LABELS), read.value(f"{name}_sum", **LABELS)]

    assert total("gen_ai_server_time_to_first_token_seconds") == pytest.approx([1, 0.5])
    assert total("workbench_inter_token_latency_seconds") == pytest.approx([3, 0.3])
    assert total("gen_ai_server_time_per_output_token_seconds") == pytest.approx([1, 0.2])
    assert total("gen_ai_server_request_duration_seconds") == pytest.approx([1, 1.1])
    assert total("workbench_queue_wait_seconds") == pytest.approx([1, 0.25])


def test_one_token_has_no_time_per_token() -> None:
    events: list[StreamEvent] = [
        Started(7, "f"),
        Delta(0, "a", token_count=1, at=100.5),
        Finished(Usage(7, 1)),
    ]
    read = watched(events, ends_at=101.0)
    assert "gen_ai_server_time_per_output_token_seconds_count" not in read.names
    assert read.value("gen_ai_server_time_to_first_token_seconds_count", **LABELS) == 1


def test_tokens_are_counted_by_id() -> None:
    read = watched(ANSWER, ends_at=101.0)
    assert read.value("workbench_tokens_total", gen_ai_token_type="input", **LABELS) == 7
    assert read.value("workbench_tokens_total", gen_ai_token_type="output", **LABELS) == 4


@pytest.mark.parametrize(
    ("ending", "status"),
    [(RateLimited("busy"), "429"), (asyncio.CancelledError(), "499"), (KeyError(), "500")],
)
def test_a_call_that_is_not_answered_is_counted_but_not_timed(ending: BaseException, status: str) -> None:
    counted = telemetry()

    def call() -> None:
        with counted.call(MODEL, "chat", TrafficClass.INTERACTIVE) as watch:
            watch.see(ANSWER[0])
            watch.see(ANSWER[2])
            raise ending

    with pytest.raises(type(ending)):
        call()
    read = numbers(counted)
    assert status_counts(read) == {status: 1}
    assert "gen_ai_server_request_duration_seconds_count" not in read.names
    assert read.value("workbench_tokens_total", gen_ai_token_type="output", **LABELS) == 1


def status_counts(read: Numbers) -> dict[str, float]:
    return {
        dict(labels)["status"]: value
        for (name, labels), value in read.samples.items()
        if name == "workbench_requests_total"
    }


def test_verdicts_are_counted_by_guard_direction_and_state() -> None:
    counted = telemetry()
    counted.screened(Screened(Direction.INPUT, 0, Verdict("embedded", Direction.INPUT, VerdictState.UNSAFE)))
    wanted = {"guard": "embedded", "direction": "input", "verdict": "unsafe"}
    assert numbers(counted).value("workbench_guard_verdicts_total", **wanted) == 1


async def read_metrics(client: httpx.AsyncClient, **headers: str) -> Numbers:
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return Numbers(answer.text)


async def test_a_key_of_any_kind_reads_them(site: Site) -> None:
    for headers in ({}, {"authorization": f"Bearer {ADMIN_KEY}"}):
        assert "workbench_requests_running" in (await read_metrics(site.client, **headers)).names


async def test_answers_and_refusals_are_told_apart(site: Site) -> None:
    message = {"role": "user", "content": "Hi"}
    for extra in ({}, {"stream": True}, {"max_tokens": 10**6}):
        await site.client.post(CHAT, json={"model": MODEL, "messages": [message], **extra})
    assert status_counts(await read_metrics(site.client)) == {"200": 2, "400": 1}


@pytest.mark.parametrize(("mode", "status"), [("score", "200"), ("block", "400")])
async def test_every_verdict_counts_whether_it_is_shown_or_blocks(
    site: Site, monkeypatch: pytest.MonkeyPatch, mode: str, status: str
) -> None:
    replace_embedded(monkeypatch, FakeGuard(name="embedded"))
    policy = {"input": {"mode": mode}, "output": {"mode": mode}}
    message = {"role": "user", "content": "a bomb"}
    body = {"model": MODEL, "messages": [message], "moderation": {"model": "embedded", "policy": policy}}
    await site.client.post(CHAT, json=body)
    read = await read_metrics(site.client)
    wanted = {"guard": "embedded", "direction": "input", "verdict": "unsafe"}
    assert read.value("workbench_guard_verdicts_total", **wanted) == 1
    assert status_counts(read) == {status: 1}


async def test_nothing_a_request_said_is_in_a_label(site: Site) -> None:
    canary = "xyzzy-canary"
    message = {"role": "user", "content": canary}
    for model in (MODEL, canary):
        await site.client.post(CHAT, json={"model": model, "messages": [message], "user": canary})
    assert canary not in (await site.client.get("/metrics")).text


class TestLongAnswers:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("word " * 10_000, token_seconds=0.02)])

    async def test_closing_a_stream_frees_its_place_before_the_next_metrics(self, site: Site) -> None:
        request = GenerationRequest(MODEL, TextPrompt("go"))
        events: AsyncGenerator[object, None] = site.workbench.stream(request, LOCAL_USER)
        await anext(events)
        assert (await read_metrics(site.client)).value("workbench_requests_running") == 1
        await events.aclose()
        read = await read_metrics(site.client)
        assert (read.value("workbench_requests_running"), read.value("workbench_slots_in_use")) == (0, 0)
        assert status_counts(read) == {"499": 1}

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_client_that_leaves_is_not_counted_as_running(
        self, live_server: LiveServer, stream: bool
    ) -> None:
        headers = {"Authorization": f"Bearer {live_server.api_key}", "Content-Type": "application/json"}
        body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "a"}]}
        connection = http.client.HTTPConnection(live_server.origin.removeprefix("http://"))
        connection.request("POST", CHAT, json.dumps(body), headers)

        def running() -> float:
            answer = httpx.get(f"{live_server.origin}/metrics", headers=headers)
            return Numbers(answer.text).value("workbench_requests_running")

        deadline = time.monotonic() + PATIENCE_SECONDS
        while running() != 1:
            assert time.monotonic() < deadline, "the call never ran"
        connection.close()
        while running() != 0:
            assert time.monotonic() < deadline, "the call never ended"
