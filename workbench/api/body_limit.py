"""A limit on the size of request bodies, for every app behind it, announced length or not."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.api.errors import error_response
from workbench.core.errors import RequestTooLarge


class BodyLimit:
    """Pure ASGI: answers 413 in the app's place once a body is larger than `max_bytes`."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request through; a body that is announced as too large is not read at all."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = RequestTooLarge(
            f"The body is larger than {self._max_bytes} bytes. Send less, or raise WORKBENCH_MAX_BODY_BYTES."
        )
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self._max_bytes:
            await error_response(refusal)(scope, receive, send)
            return
        await _Counted(self._max_bytes, refusal).run(self._app, scope, receive, send)


class _Counted:
    """One request whose body is counted as it comes."""

    def __init__(self, max_bytes: int, refusal: RequestTooLarge) -> None:
        self._left = max_bytes
        self._refusal = refusal
        self._has_answered = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting() -> Message:
            message = await receive()
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise self._refusal
            return message

        async def sending(message: Message) -> None:
            # What the app answers to a body cut short is not what the client should read.
            if self._left >= 0 or self._has_answered:
                self._has_answered = True
                await send(message)

        try:
            await app(scope, counting, sending)
        except RequestTooLarge as failure:
            if failure is not self._refusal:
                raise
        if self._left < 0 and not self._has_answered:
            await error_response(self._refusal)(scope, receive, send)
