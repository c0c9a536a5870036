"""A load test of a server that streams without counting its tokens, as some do."""

from __future__ import annotations

import asyncio
import json

from evaluators.timing import RequestClass
from workbench.experiments.load.remote import RemoteLoad

WORDS = ("", "one ", "two ", "three")


async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    choices = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in WORDS]
    for choice in [*choices, {"index": 0, "delta": {}, "finish_reason": "length"}]:
        chunk = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "far",
            "choices": [choice],
        }
        writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


async def test_chunks_with_text_are_counted_where_the_server_counts_nothing() -> None:
    async with await asyncio.start_server(stream, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with RemoteLoad(url, "none", "far", "Count.", 3) as load:
            timing = await load(0)
    assert timing.outcome is RequestClass.OK
    assert timing.output_tokens == 3
    assert timing.prompt_tokens == 0
