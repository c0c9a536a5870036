"""No event is lost between two streams of a page.

Gradio's page (6.31) opens a stream once an event of its is queued, if it knows of no open one, and the server ends the
stream after the last event. An event that is queued in that moment is answered while the page still counts on the old
stream: nobody reads what becomes of it, and the page waits for ever. So a stream that says it ends stays until the page
has let go of it, and until then the answer to a queued event waits.

The other way round an event may be over before the page learns its name; the page then opens a stream by which nothing
more comes. It does no harm: the next event comes by it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = "gradio_page"
"""Under this name a request's state says which page it is of."""
LONGEST_WAIT_SECONDS = 2.0
"""For a page to let go of its stream; a client of another kind may not know that it should."""
_STREAM, _QUEUE = "/gradio_api/queue/data", "/gradio_api/queue/join"
_ENDS = b'"msg":"close_stream"'
"""No text of a message can hold it: its quotation marks would be escaped."""


class EventStreams:
    """Pure ASGI around Gradio's app, for requests whose state names their page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._ending: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keeps a stream that ends, and the answers that must wait for it; everything else passes."""
        page = scope.get("state", {}).get(PAGE)
        if page is not None and scope["path"].endswith(_STREAM):
            await self._stream(page, scope, receive, send)
        elif page is not None and scope["path"].endswith(_QUEUE):
            await self._queue(page, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _stream(self, page: str, scope: Scope, receive: Receive, send: Send) -> None:
        is_left: asyncio.Event | None = None

        async def tell(message: Message) -> None:
            nonlocal is_left
            if _ENDS in message.get("body", b""):
                is_left = self._ending[page] = asyncio.Event()
            if is_left is None or message.get("more_body", False):
                await send(message)

        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        try:
            await self.app({**scope, "headers": plain}, receive, tell)
            if is_left is not None:
                await _until_left(receive)
                await send({"type": "http.response.body", "body": b""})
        finally:
            if is_left is not None:
                is_left.set()
                if self._ending.get(page) is is_left:
                    del self._ending[page]

    async def _queue(self, page: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if (ending := self._ending.get(page)) is not None:
                await ending.wait()
            await send(message)

        await self.app(scope, receive, tell)


async def _until_left(receive: Receive) -> None:
    """Returns when the other side is gone, or after LONGEST_WAIT_SECONDS."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
