"""An endpoint that fails in every way there is, spoken to over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from openai import AsyncOpenAI

from workbench.backends import remote_errors
from workbench.backends.circuit import FAILURES_TO_OPEN
from workbench.backends.remote import RemoteBackend
from workbench.backends.remote_probe import Probed
from workbench.core.backend import CallContext, ModelCard
from workbench.core.chat import ChatPrompt, Completion, CompletionBuilder, GenerationRequest, Message, Role
from workbench.core.errors import BackendFailed, RateLimited, Unavailable, WorkbenchError

REQUEST = GenerationRequest("far", ChatPrompt((Message(Role.USER, "Hello"),)))
CHUNK = {
    "id": "1", "object": "chat.completion.chunk", "created": 0, "model": "far",
    "choices": [{"index": 0, "delta": {"content": "Half"}, "finish_reason": None}],
}  # fmt: skip
Handle = Callable[[asyncio.StreamWriter], Awaitable[None]]


def status(code: int, **headers: str) -> Handle:
    async def handle(writer: asyncio.StreamWriter) -> None:
        lines = [
            f"HTTP/1.1 {code} X",
            "content-length: 2",
            *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n{}").encode())

    return handle


async def answers(writer: asyncio.StreamWriter) -> None:
    done = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    for part in (CHUNK, done):
        writer.write(f"data: {json.dumps(part)}\n\n".encode())
    writer.write(b"data: [DONE]\n\n")


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    body = f"data: {json.dumps(CHUNK)}\n\n".encode()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")


async def breaks_off_before_its_first_token(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")


async def ends_without_a_reason(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    writer.write(f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n".encode())


async def ends_at_once(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: [DONE]\n\n"
    )


async def talks_nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {nonsense\n\n"
    )


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


class Endpoint:
    """Handles each request by the next of `plan`, the last one again and again."""

    def __init__(self) -> None:
        self.plan: list[Handle] = [answers]
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self.asked += 1
        await (self.plan.pop(0) if len(self.plan) > 1 else self.plan[0])(writer)
        if not writer.is_closing():
            await writer.drain()
            writer.close()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setattr(remote_errors, "FIRST_PAUSE_SECONDS", 0.01)
    return Endpoint()


@pytest.fixture
async def backend(endpoint: Endpoint) -> AsyncGenerator[RemoteBackend, None]:
    async with await asyncio.start_server(endpoint, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
        card = ModelCard(id="far", source="", backend="remote")
        made = RemoteBackend(card, client, Probed(frozenset(), frozenset(), frozenset(), None, "fp"))
        yield made
        await made.close()


async def completed(backend: RemoteBackend) -> Completion:
    builder = CompletionBuilder()
    async for event in backend.stream(REQUEST, CallContext("test")):
        builder.add(event)
    return builder.completion()


async def ask(backend: RemoteBackend) -> str:
    return (await completed(backend)).choices[0].content


async def test_what_was_not_answered_is_sent_again(backend: RemoteBackend, endpoint: Endpoint) -> None:
    endpoint.plan = [hangs_up, status(503), answers]
    assert await ask(backend) == "Half"
    assert endpoint.asked == 3


async def test_a_fourth_time_is_not_tried(backend: RemoteBackend, endpoint: Endpoint) -> None:
    endpoint.plan = [status(502)]
    with pytest.raises(Unavailable, match="502"):
        await ask(backend)
    assert endpoint.asked == remote_errors.ATTEMPTS


@pytest.mark.parametrize(
    ("failure", "kind", "seconds"),
    [
        (status(503, retry_after="60"), Unavailable, 60),
        (status(503, retry_after="99999"), Unavailable, remote_errors.MOST_RETRY_AFTER_SECONDS),
        (status(500), Unavailable, 5),
        (status(429, retry_after="7"), RateLimited, 7),
        (status(401), BackendFailed, None),
        (status(400), WorkbenchError, None),
    ],
)
async def test_what_another_try_cannot_mend_is_told_at_once(
    failure: Handle,
    kind: type[WorkbenchError],
    seconds: float | None,
    backend: RemoteBackend,
    endpoint: Endpoint,
) -> None:
    endpoint.plan = [failure]
    with pytest.raises(kind) as told:
        await ask(backend)
    assert endpoint.asked == 1
    assert told.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (breaks_off, "in the middle"),
        (breaks_off_before_its_first_token, "before the first token"),
        (ends_without_a_reason, "too early"),
        (ends_at_once, "before the first token"),
        (talks_nonsense, "cannot be read"),
    ],
)
async def test_an_answer_that_breaks_off_is_an_error_and_never_sent_again(
    failure: Handle, message: str, backend: RemoteBackend, endpoint: Endpoint
) -> None:
    endpoint.plan = [failure]
    with pytest.raises(BackendFailed, match=message):
        await ask(backend)
    assert endpoint.asked == 1


async def test_pieces_are_counted_where_the_endpoint_counts_nothing(
    backend: RemoteBackend, endpoint: Endpoint
) -> None:
    endpoint.plan = [answers]
    usage = (await completed(backend)).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (0, 1)


async def test_an_endpoint_that_keeps_failing_is_left_alone(
    backend: RemoteBackend, endpoint: Endpoint
) -> None:
    endpoint.plan = [status(500)]
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            await ask(backend)
    with pytest.raises(Unavailable, match="left alone"):
        await ask(backend)
    assert endpoint.asked == FAILURES_TO_OPEN


async def test_refused_requests_do_not_count_against_the_endpoint(
    backend: RemoteBackend, endpoint: Endpoint
) -> None:
    endpoint.plan = [status(400)] * (FAILURES_TO_OPEN + 2) + [answers]
    for _ in range(FAILURES_TO_OPEN + 2):
        with pytest.raises(WorkbenchError):
            await ask(backend)
    assert await ask(backend) == "Half"
