from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from workbench.ui import event_streams
from workbench.ui.event_streams import PAGE, EventStreams

STREAM, QUEUE = "/gradio_api/queue/data", "/gradio_api/queue/join"
LAST = b'data: {"msg":"close_stream","event_id":null}\n\n'


async def gradio(scope: Scope, receive: Receive, send: Send) -> None:
    """A stream with nothing more to say, or a short answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == STREAM:
        await send({"type": "http.response.body", "body": LAST, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    else:
        await send({"type": "http.response.body", "body": b"{}", "more_body": False})


class Asked:
    """One request of a page, which stays until `is_left`, and what came back."""

    def __init__(self, streams: EventStreams, path: str, page: str | None = "tab") -> None:
        self.is_left = asyncio.Event()
        self.heard: list[Message] = []
        scope = {"type": "http", "path": path, "headers": [], "state": {} if page is None else {PAGE: page}}
        self.task = asyncio.create_task(streams(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        await self.is_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.heard.append(message)

    @property
    def has_ended(self) -> bool:
        return self.heard[-1]["type"] == "http.response.body" and not self.heard[-1].get("more_body", False)


async def a_moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_event_that_is_queued_as_the_stream_ends_is_answered_when_the_page_has_left_it() -> None:
    streams = EventStreams(gradio)
    stream = Asked(streams, STREAM)
    await a_moment()
    assert [message.get("body") for message in stream.heard[1:]] == [LAST]
    joined = Asked(streams, QUEUE)
    await a_moment()
    assert (joined.heard, stream.has_ended) == ([], False)
    stream.is_left.set()
    await asyncio.gather(stream.task, joined.task)
    assert (joined.heard[-1]["body"], stream.has_ended) == (b"{}", True)


async def test_nobody_waits_for_another_pages_stream_or_for_one_that_is_gone() -> None:
    streams = EventStreams(gradio)
    stream = Asked(streams, STREAM)
    await a_moment()
    await asyncio.gather(Asked(streams, QUEUE, "another").task, Asked(streams, QUEUE, None).task)
    stream.is_left.set()
    await stream.task
    await Asked(streams, QUEUE).task


async def test_a_client_that_does_not_let_go_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_streams, "LONGEST_WAIT_SECONDS", 0.0)
    streams = EventStreams(gradio)
    stream, joined = Asked(streams, STREAM), Asked(streams, QUEUE)
    await asyncio.gather(stream.task, joined.task)
    assert stream.has_ended
    assert joined.heard


async def test_a_stream_that_fails_keeps_no_answer_back() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await gradio(scope, receive, send)
        if scope["path"] == STREAM:
            raise LookupError

    streams = EventStreams(failing)
    with pytest.raises(LookupError):
        await Asked(streams, STREAM).task
    await Asked(streams, QUEUE).task
