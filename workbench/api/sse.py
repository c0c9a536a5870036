"""Server-sent events: the only place that writes `data: ...`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import anyio
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from workbench.api.answer import ChunkWriter
from workbench.api.disconnect import while_connected
from workbench.api.errors import internal_error, log_bug
from workbench.api.feed import Feed
from workbench.core.errors import Stopping, WorkbenchError

PING_SECONDS = 15
_LAST_WORDS_SECONDS = 1.0

_DONE = b"data: [DONE]\n\n"


class EventStream(EventSourceResponse):
    """A feed's events as chunks, then `[DONE]`. The feed is closed when the response ends, however it ends."""

    def __init__(self, feed: Feed, writer: ChunkWriter, request_id: str) -> None:
        stopping = anyio.Event()
        super().__init__(
            _written(feed, writer, request_id),
            ping=PING_SECONDS,
            sep="\n",
            ping_message_factory=lambda: ServerSentEvent(comment="still here", sep="\n"),
            headers=feed.headers,
            shutdown_event=stopping,
            shutdown_grace_period=_LAST_WORDS_SECONDS,
        )
        self._feed = feed
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the stream until it ends, the client leaves or the server stops."""
        last_words = asyncio.create_task(self._end_when_stopping())
        try:
            async with self._feed:
                await super().__call__(scope, receive, send)
        finally:
            last_words.cancel()

    async def _end_when_stopping(self) -> None:
        """Whoever stops the server has given the streams their time before."""
        await self._stopping.wait()
        self._feed.fail(Stopping())


async def event_stream(request: Request, feed: Feed, writer: ChunkWriter) -> EventStream:
    """The stream of a call whose prompts were all accepted, so that a refusal still has its own HTTP status.

    Raises: ClientLeft, and the WorkbenchError of a refusal.
    """
    try:
        await while_connected(request.receive, feed.accepted())
    except BaseException:
        await feed.close()
        raise
    return EventStream(feed, writer, request.state.request_id)


async def _written(feed: Feed, writer: ChunkWriter, request_id: str) -> AsyncGenerator[bytes, None]:
    try:
        async for item in feed:
            for chunk in writer.chunks(item):
                yield _data(chunk)
    except WorkbenchError as failure:
        yield _data(json.dumps(failure.as_openai()))
    except Exception as failure:  # noqa: BLE001 - the status is sent: only the stream can still tell the client
        log_bug(failure, request_id)
        yield _data(json.dumps(internal_error().as_openai()))
    yield _DONE


def _data(chunk: str) -> bytes:
    return f"data: {chunk}\n\n".encode()
