"""The page's HTML: made once for an address and a language, packed, and with all that it will need named in its head.

Gradio makes it anew for every visit, half a megabyte of it, and leaves it unpacked. It is the same for everybody: what
an account may see comes later, by the page's events.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.ui.languages import Language, language_for, reader

_ADDRESSES = 8
"""How many ways to reach this server are kept: by name, by number, through a proxy; each in a language."""
_LANGUAGE = b'lang="en"'
_HEAD, _HEAD_ENDS = b"<head>", b"</head>"


@dataclass(frozen=True, slots=True)
class _Page:
    plain: bytes
    packed: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class FirstPage:
    """Pure ASGI around Gradio's app; `links` is markup for the begin of the page's head, `last` for its end.

    What answers a request knows its reader's language by `reader`.
    """

    def __init__(self, app: ASGIApp, languages: Mapping[str, Language], links: str, last: str = "") -> None:
        self.app = app
        self._languages = languages
        self._links, self._last = links.encode(), last.encode()
        self._pages: OrderedDict[tuple[str, str, str, str], _Page] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers for the page; everything else passes."""
        root, headers = scope.get("root_path", ""), Headers(scope=scope)
        language = language_for(headers.get("accept-language", ""), self._languages)
        reader.set(language)
        is_page = scope["type"] == "http" and scope["path"].removeprefix(root) in ("", "/")
        if not is_page or scope["method"] != "GET" or scope["query_string"]:
            await self.app(scope, receive, send)
            return
        tag = "en" if language is None else language.tag
        address = (scope.get("scheme", "http"), headers.get("host", ""), root, tag)
        if (page := self._pages.get(address)) is None:
            said = await self._ask(scope, receive)
            if (page := self._made(said, tag)) is None:
                for message in said:
                    await send(message)
                return
            self._pages[address] = page
            if len(self._pages) > _ADDRESSES:
                self._pages.popitem(last=False)
        await _send(page, send, is_packed="gzip" in headers.get("accept-encoding", ""))

    async def _ask(self, scope: Scope, receive: Receive) -> list[Message]:
        """What Gradio says, unpacked."""
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await self.app({**scope, "headers": headers}, receive, keep)
        return said

    def _made(self, said: Sequence[Message], tag: str) -> _Page | None:
        """The page of Gradio's answer; None for another answer, such as an error."""
        start, *bodies = said
        html = b"".join(message.get("body", b"") for message in bodies)
        if start.get("status") != 200 or _HEAD not in html:
            return None
        html = html.replace(_HEAD, _HEAD + self._links, 1).replace(_HEAD_ENDS, self._last + _HEAD_ENDS, 1)
        html = html.replace(_LANGUAGE, f'lang="{tag}"'.encode(), 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        del headers["content-length"]
        headers["vary"] = "accept-encoding, accept-language"
        return _Page(html, gzip.compress(html, 6, mtime=0), tuple(headers.raw))


async def _send(page: _Page, send: Send, *, is_packed: bool) -> None:
    body = page.packed if is_packed else page.plain
    headers = [*page.headers, (b"content-length", str(len(body)).encode())]
    if is_packed:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
