from __future__ import annotations

import asyncio
import http.client
import json
import time

import pytest

from tests.sites import LiveServer
from workbench.api.disconnect import ClientLeft, while_connected
from workbench.backends.scripted import Script, ScriptedBackend

PATIENCE_SECONDS = 60.0


async def connected() -> dict[str, str]:
    await asyncio.Event().wait()
    raise AssertionError("nothing wakes a client that stays")


async def gone() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def test_work_for_a_client_that_stays_gives_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 5

    assert await while_connected(connected, work()) == 5


async def test_work_for_a_client_that_left_is_cancelled_and_cleaned_up() -> None:
    has_cleaned_up = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            has_cleaned_up.set()

    with pytest.raises(ClientLeft):
        await while_connected(gone, work())
    assert has_cleaned_up.is_set()


async def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await while_connected(connected, work())


async def test_cancelling_the_waiter_cancels_the_work() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiter = asyncio.create_task(while_connected(connected, work()))
    await started.wait()
    waiter.cancel()
    await asyncio.wait({waiter})
    assert ended.is_set()


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Script("word " * 10_000, token_seconds=0.02)])


def until(what: str, is_so: object) -> None:
    """Returns once `is_so()`; fails when that takes unreasonably long."""
    assert callable(is_so)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.005)


@pytest.mark.parametrize("route", ["chat/completions", "completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_places(live_server: LiveServer, route: str, stream: bool) -> None:
    prompt = (
        {"prompt": ["a", "b"]} if route == "completions" else {"messages": [{"role": "user", "content": "a"}]}
    )
    calls = 2 if route == "completions" else 1
    connection = http.client.HTTPConnection(live_server.origin.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {live_server.api_key}", "Content-Type": "application/json"}
    body = json.dumps({"model": live_server.model, "stream": stream, **prompt})
    connection.request("POST", f"/openai/v1/{route}", body, headers)
    until("the calls run", lambda: live_server.backend.running == calls)
    if stream:
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read(20).startswith(b"data: ")
        answer.close()
    connection.close()
    until("the calls end", lambda: live_server.backend.running == 0)
    assert live_server.backend.cancelled == calls
