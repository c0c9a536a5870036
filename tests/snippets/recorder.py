"""An HTTP server that speaks enough of the API for any snippet, and keeps every request it got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PIECE_BYTES = 7
"""Streams are sent in pieces this short, so that lines and characters are cut anywhere."""

TOOL_CALL = {
    "id": "call_9",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived; `route` is the path below the API's root."""

    route: str
    authorization: str
    content_type: str
    body: dict[str, Any]


@dataclass(slots=True)
class Recorder:
    """What the server answers, and what it was asked.

    `answer` is the text of every choice. Texts in `flagged` are flagged by /moderations. With `error_status` every
    route but /moderations answers an error; `fails_midway` puts the error into a stream that has begun.
    """

    base_url: str = ""
    answer: str = "Fine."
    flagged: frozenset[str] = frozenset()
    error_status: int | None = None
    fails_midway: bool = False
    calls: list[Call] = field(default_factory=list)

    def reset(self) -> None:
        """Forgets the calls and answers as at the start."""
        fresh = Recorder()
        self.answer, self.flagged = fresh.answer, fresh.flagged
        self.error_status, self.fails_midway, self.calls = fresh.error_status, fresh.fails_midway, []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON bodies, in the order they came."""
        return [call.body for call in self.calls]

    @property
    def routes(self) -> list[str]:
        """The routes called, in their order."""
        return [call.route for call in self.calls]

    def moderation(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of /moderations."""
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        results = [
            {"flagged": text in self.flagged, "categories": {"violence": text in self.flagged, "hate": False}}
            for text in texts
        ]
        return {"id": "modr-1", "model": "embedded", "results": results}

    def completion(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        """A whole answer."""
        choices = []
        for index in range(body.get("n", 1)):
            choice: dict[str, Any] = {"index": index, "finish_reason": "stop", "logprobs": None}
            if route == "completions":
                choice["text"] = self.answer
            else:
                calls = {"tool_calls": [TOOL_CALL]} if "tools" in body else {}
                choice["message"] = {"role": "assistant", "content": self.answer, **calls}
            choices.append(choice)
        return {**_envelope(route, body), "choices": choices, **_reports(body)}

    def chunks(self, route: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks of a stream: role, text in two halves, tool calls, finish, reports, usage without choices."""
        envelope = _envelope(route, body)
        half = len(self.answer) // 2
        deltas: list[dict[str, Any]] = [{"content": self.answer[:half]}, {"content": self.answer[half:]}]
        if route == "chat/completions":
            deltas.insert(0, {"role": "assistant", "content": ""})
            if "tools" in body:
                arguments = TOOL_CALL["function"]["arguments"]  # type: ignore[index]
                opening = {"index": 0, **TOOL_CALL, "function": {"name": "get_weather", "arguments": ""}}
                deltas.append({"tool_calls": [opening]})
                deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})
        for delta in deltas:
            for index in range(body.get("n", 1)):
                yield {**envelope, "choices": [_piece(route, index, delta, None)]}
        for index in range(body.get("n", 1)):
            yield {**envelope, "choices": [_piece(route, index, {}, "stop")]}
        yield {**envelope, "choices": [], **_reports(body)}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        yield {**envelope, "choices": [], "usage": usage}


def _piece(route: str, index: int, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": finish_reason, "logprobs": None}
    if route == "completions":
        return {**choice, "text": delta.get("content", "")}
    return {**choice, "delta": delta}


def _envelope(route: str, body: dict[str, Any]) -> dict[str, Any]:
    kind = "text_completion" if route == "completions" else "chat.completion"
    kind += ".chunk" if body.get("stream") and route != "completions" else ""
    return {"id": "cmpl-1", "object": kind, "created": 1, "model": body["model"]}


def _reports(body: dict[str, Any]) -> dict[str, Any]:
    reports: dict[str, Any] = {}
    if "moderation" in body:
        result = {"flagged": False, "categories": {}, "category_scores": {"violence": 0.0625}}
        verdict = {"type": "moderation_results", "model": "embedded", "results": [result]}
        reports["moderation"] = {"input": verdict, "output": verdict}
    if body.get("x_effective"):
        reports["x_effective"] = {"temperature": {"value": 0.125, "source": "request"}}
    if body.get("x_timing"):
        reports["x_timing"] = {"ttft_seconds": 0.03125}
    return reports


def _error(status: int) -> dict[str, Any]:
    message = "The recorder was told to fail."
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": str(status)}
    }


class _Handler(BaseHTTPRequestHandler):
    recorder: Recorder

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        route = self.path.removeprefix("/openai/v1/")
        recorder = self.recorder
        authorization, content_type = self.headers["Authorization"], self.headers["Content-Type"]
        recorder.calls.append(Call(route, authorization, content_type, body))
        if route == "moderations":
            self._answer(200, recorder.moderation(body))
        elif recorder.error_status is not None:
            self._answer(recorder.error_status, _error(recorder.error_status))
        elif body.get("stream"):
            self._stream(route, body)
        else:
            self._answer(200, recorder.completion(route, body))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(text)

    def _stream(self, route: str, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        chunks = list(self.recorder.chunks(route, body))
        if self.recorder.fails_midway:
            chunks = [*chunks[:2], _error(500)]
        events = [": ping\r\n\r\n"]
        events += [f"data: {json.dumps(chunk, ensure_ascii=False)}\r\n\r\n" for chunk in chunks]
        text = "".join([*events, "data: [DONE]\r\n\r\n"]).encode()
        for start in range(0, len(text), PIECE_BYTES):
            self.wfile.write(text[start : start + PIECE_BYTES])
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keeps the test output quiet."""


@contextmanager
def recording_server() -> Iterator[Recorder]:
    """A Recorder behind a free port of this machine, until the block ends."""
    recorder = Recorder()
    handler = type("Handler", (_Handler,), {"recorder": recorder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    recorder.base_url = f"http://127.0.0.1:{server.server_port}/openai/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
