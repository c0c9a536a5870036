"""What of Gradio's own routes is open, and how one account is kept from another's events and files.

Whoever comes here has a session; that is all that Gradio would have to go by. So:

- Only the routes the page itself calls are open. Gradio has more: they fetch addresses for the caller, write a
  session's components to disk, record, reload or monitor.
- A page names its session by a few random letters of its own making, and Gradio gives its events, messages and
  state to whoever knows them. Here each name is replaced by one that only this account can have.
- An uploaded file is for the account that uploaded it, and goes when that account's last page is closed. No event is
  given any other file.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.core.caller import Caller
from workbench.core.errors import Forbidden, InvalidApiKey, InvalidRequest, NotFound
from workbench.ui.event_streams import PAGE
from workbench.ui.uploads import KINDS, Uploads

SECONDS_AFTER_LEAVING = 60.0
"""How long files wait for a page that lost its connection and may come back."""

_API = "/gradio_api"
_READ = re.compile(
    r"/?|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(assets|static|svelte)/.+"
    rf"|{_API}/(info/?|app_id/?|theme\.css|startup-events|queue/data|upload_progress|heartbeat/[^/]+|file=.+)",
    re.DOTALL,
)
_SENT = re.compile(rf"{_API}/(queue/join|run/[^/]+/?|cancel|reset/?|upload)")
_WITH_JSON = re.compile(rf"{_API}/(queue/join|run/[^/]+/?|cancel)")
_NAMES_IN_QUERY = ("session_hash", "upload_id")
# The door has judged where the request came from; Gradio would believe these whoever sent them.
_FORWARDED = re.compile(rb"forwarded|x-forwarded-.*|x-real-ip", re.IGNORECASE)


class GradioDoor:
    """Pure ASGI around the mounted Gradio app.

    Raises: to the app it is mounted in, a WorkbenchError for what it does not let through.
    """

    def __init__(self, app: ASGIApp, uploads: Uploads) -> None:
        self.app = app
        self._uploads = uploads
        self._secret = secrets.token_bytes(32)
        self._open_pages: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a page's own request through, with its names replaced."""
        if scope["type"] != "http":
            raise NotFound("Nothing here speaks this protocol.")
        caller = scope.get("state", {}).get("caller")
        if not isinstance(caller, Caller):
            raise InvalidApiKey("This page is not signed in. Open the address of the server anew.")
        account, path = caller.account, _path(scope)
        self._check(scope["method"], path, account)
        scope = self._renamed(scope, path, account)
        if _WITH_JSON.fullmatch(path):
            receive = await self._renamed_body(scope, receive, account)
        if path == f"{_API}/upload":
            await self._upload(scope, receive, send, account)
        elif path.startswith(f"{_API}/heartbeat/"):
            await self._heartbeat(scope, receive, send, account)
        else:
            await self.app(scope, receive, send)

    def _check(self, method: str, path: str, account: str) -> None:
        """Raises: NotFound for a route that the page does not use, or a file that is not the account's."""
        routes = {"GET": _READ, "HEAD": _READ, "POST": _SENT}.get(method)
        file = path.removeprefix(f"{_API}/file=")
        is_open = routes is not None and routes.fullmatch(path) is not None
        if not is_open or (file != path and not self._uploads.may_read(account, file)):
            raise NotFound("There is no such page.")

    def _own(self, account: str, name: str) -> str:
        """The name that this account's `name` has inside."""
        return hmac.new(self._secret, f"{account}\0{name}".encode(), hashlib.sha256).hexdigest()[:32]

    def _renamed(self, scope: Scope, path: str, account: str) -> Scope:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        pairs = [
            (key, self._own(account, value) if key in _NAMES_IN_QUERY else value) for key, value in query
        ]
        headers = [(key, value) for key, value in scope["headers"] if not _FORWARDED.fullmatch(key)]
        changed = {**scope, "query_string": urlencode(pairs).encode(), "headers": headers}
        if (page := dict(pairs).get("session_hash")) is not None:
            changed["state"] = {**scope["state"], PAGE: page}
        if path.startswith(f"{_API}/heartbeat/"):
            begin, _, name = scope["path"].rpartition("/")
            changed["path"] = f"{begin}/{self._own(account, name)}"
            changed.pop("raw_path", None)
        return changed

    async def _renamed_body(self, scope: Scope, receive: Receive, account: str) -> Receive:
        """Raises: InvalidRequest for what is no JSON object; Forbidden for a file of somebody else's."""
        try:
            body = from_json(await _read(receive))
        except ValueError:
            raise InvalidRequest("The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise InvalidRequest("The body must be a JSON object.")
        # A mounted Gradio opens whatever file or address it is given: it checks only where it was launched.
        if not all(self._uploads.may_read(account, path) for path in _paths(body)):
            raise Forbidden("This file is no longer here. Choose it again.")
        if isinstance(name := body.get("session_hash"), str):
            body["session_hash"] = self._own(account, name)
            scope["state"] = {**scope["state"], PAGE: body["session_hash"]}
        raw = json.dumps(body).encode()
        kept = [(key, value) for key, value in scope["headers"] if key.lower() != b"content-length"]
        scope["headers"] = [*kept, (b"content-length", str(len(raw)).encode())]
        return _given(raw, receive)

    async def _upload(self, scope: Scope, receive: Receive, send: Send, account: str) -> None:
        """Takes files in; the answer waits until it is known that they may stay.

        Raises: InvalidRequest for files that no page reads.
        """
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        plain = [(key, value) for key, value in scope["headers"] if key.lower() != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, keep)
        status = next((message["status"] for message in answer if "status" in message), None)
        if status == 200:
            paths = from_json(b"".join(message.get("body", b"") for message in answer))
            if not self._uploads.add(account, paths):
                raise InvalidRequest(f"Only files of these kinds are read here: {', '.join(sorted(KINDS))}.")
        for message in answer:
            await send(message)

    async def _heartbeat(self, scope: Scope, receive: Receive, send: Send, account: str) -> None:
        """Lasts as long as the page is open."""
        self._open_pages[account] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open_pages[account] -= 1
            asyncio.get_running_loop().call_later(SECONDS_AFTER_LEAVING, self._forget_if_gone, account)

    def _forget_if_gone(self, account: str) -> None:
        if self._open_pages[account] == 0:
            del self._open_pages[account]
            self._uploads.forget(account)


def _path(scope: Scope) -> str:
    """The path without the prefix a proxy serves this app under."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _paths(value: object) -> Iterator[str]:
    """Every path by which a page's request may name a file."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as found:
                if isinstance(path := found.get("path"), str):
                    yield path
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)


async def _read(receive: Receive) -> bytes:
    """A body, whole; its size is limited in front of here. Raises: InvalidRequest when the client leaves."""
    raw = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidRequest("The body was cut short.")
        raw += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(raw)


def _given(raw: bytes, receive: Receive) -> Receive:
    """Gives `raw` as the body, then what else comes."""
    is_given = False

    async def giving() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return giving
