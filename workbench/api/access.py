"""The one door: nothing behind it answers anyone who is not known to be allowed.

Every request is judged in this order:
1. Host and Origin must be ours (403), but for origins that the operator lists: their pages reach the API by key alone.
2. While the page signs itself in, a request that came through a proxy is refused (403).
3. Health answers.
4. A key, or the session cookie of the page, says who asks (401 without). Keys open the API, its docs and the
   metrics; the page and Gradio's own routes take the session alone. Where accounts are on, a person who opens a
   page without a session is shown the log-in form, with status 401; only that form can be sent without one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.api.cors import Cors, is_preflight
from workbench.api.errors import error_response
from workbench.api.hosts import HostRules
from workbench.api.login import LOGIN_PATH, LoginNeeded, login_page
from workbench.api.session import Session, Sessions
from workbench.core.access import KeyKind
from workbench.core.caller import Caller
from workbench.core.errors import Forbidden, InvalidApiKey, WorkbenchError

OPEN_PATHS = frozenset({"/health/live", "/health/ready", "/openai/health"})
_KEYS_OF: tuple[tuple[str, tuple[KeyKind, ...]], ...] = (
    ("/openai/v1", (KeyKind.INFERENCE,)),
    ("/openai", tuple(KeyKind)),
    ("/metrics", tuple(KeyKind)),
)
_CLOSED_TO_SIGN_IN = ("/openai", "/metrics", "/gradio_api", "/health")

Accounts = Callable[[Session], Awaitable[Caller | None]]
"""The caller behind a session; None when it has ended, or there is no such account any more."""


class KeyRecord(Protocol):
    """A key that was recognised."""

    @property
    def caller(self) -> Caller:
        """Who it speaks for."""
        ...


class KeyRing(Protocol):
    """What knows the keys."""

    async def authenticate(self, secret: str | None, kinds: Collection[KeyKind]) -> KeyRecord:
        """The key with this text. Raises: InvalidApiKey."""
        ...


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Whom the door knows.

    `signs_in` is whom a page opened here acts for without being asked; None where accounts must log in.
    """

    hosts: HostRules
    keys: KeyRing
    sessions: Sessions
    accounts: Accounts
    signs_in: Caller | None
    cors: Cors = field(default_factory=Cors)


class Access:
    """Pure ASGI: what it lets through carries its Caller in the connection's state."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request through, or answers it with the reason why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks over WebSockets
            await send({"type": "websocket.close", "code": 1008})
            return
        connection, path = HTTPConnection(scope), _route_path(scope)
        guest = self._rules.cors.guest(connection.headers, path)
        send = self._rules.cors.answering(send, guest)
        try:
            self._check_where_from(connection, is_guest=guest is not None)
            if guest is not None and is_preflight(scope["method"], connection.headers):
                await self._rules.cors.preflight(connection.headers)(scope, receive, send)
                return
            if guest is not None:
                scope.setdefault("state", {})["caller"] = await self._by_key(connection)
            elif path not in OPEN_PATHS and not self._sends_login(connection, path):
                scope.setdefault("state", {})["caller"], send = await self._let_in(connection, path, send)
        except LoginNeeded:
            await login_page(connection)(scope, receive, send)
            return
        except WorkbenchError as refusal:
            await error_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _sends_login(self, connection: HTTPConnection, path: str) -> bool:
        return self._rules.signs_in is None and path == LOGIN_PATH and connection.scope["method"] == "POST"

    def _check_where_from(self, connection: HTTPConnection, *, is_guest: bool) -> None:
        headers = connection.headers
        if not self._rules.hosts.is_our_host(headers):
            raise Forbidden(
                "This server does not answer to that Host. Name it in WORKBENCH_ALLOWED_HOSTS if it should."
            )
        if not is_guest and not self._rules.hosts.is_our_page(headers):
            raise Forbidden("Pages of another origin may not use this server.")
        came_by_proxy = any(name == "forwarded" or name.startswith("x-forwarded-") for name in headers)
        if came_by_proxy and self._rules.signs_in is not None:
            raise Forbidden(
                "This request came through a proxy, and this server knows no accounts: it would let anyone in. "
                "Turn accounts on with `workbench users create NAME --admin`, then restart it."
            )

    async def _by_key(self, connection: HTTPConnection) -> Caller:
        """Raises: InvalidApiKey."""
        return (await self._rules.keys.authenticate(_bearer(connection), (KeyKind.INFERENCE,))).caller

    async def _let_in(self, connection: HTTPConnection, path: str, send: Send) -> tuple[Caller, Send]:
        """The caller, and how to send the answer. Raises: InvalidApiKey, LoginNeeded."""
        kinds = next((kinds for prefix, kinds in _KEYS_OF if _is_under(path, prefix)), None)
        secret = _bearer(connection)
        if kinds is not None and secret is not None:
            return (await self._rules.keys.authenticate(secret, kinds)).caller, send
        if (session := self._rules.sessions.read(connection)) is not None:
            caller = await self._rules.accounts(session)
            if caller is not None:
                return caller, send
        if self._rules.signs_in is None and _is_browsing(connection):
            raise LoginNeeded
        if kinds is not None:
            return (await self._rules.keys.authenticate(None, kinds)).caller, send
        if self._rules.signs_in is not None and _opens_a_page(connection, path):
            cookie = self._rules.sessions.cookie(connection, Session(self._rules.signs_in.account))
            return self._rules.signs_in, _with_cookie(send, cookie)
        raise InvalidApiKey("This page is not signed in. Open the address of the server anew.")


def _route_path(scope: Scope) -> str:
    """The path without the prefix a proxy serves this app under."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _bearer(connection: HTTPConnection) -> str | None:
    """The key of the Authorization header; None without one."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def _opens_a_page(connection: HTTPConnection, path: str) -> bool:
    """True when a browser, or a person with curl, asks for a page rather than for a part of one."""
    if connection.scope["method"] not in ("GET", "HEAD"):
        return False
    if any(_is_under(path, closed) for closed in _CLOSED_TO_SIGN_IN):
        return False
    return path in ("", "/") or _is_browsing(connection)


def _is_browsing(connection: HTTPConnection) -> bool:
    """True when the answer is to be looked at by a person."""
    is_read = connection.scope["method"] in ("GET", "HEAD")
    return is_read and "text/html" in connection.headers.get("accept", "")


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return sending
