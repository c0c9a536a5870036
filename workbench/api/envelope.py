"""What every answer carries, and the last line against bugs: ids, security headers, one log line, no tracebacks."""

from __future__ import annotations

import asyncio
import time
import uuid

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.api.access import OPEN_PATHS
from workbench.api.errors import error_response, internal_error, log_bug
from workbench.core.errors import Stopping

log = structlog.get_logger(__name__)

# Gradio needs inline scripts and styles, eval and blobs. What matters is that nothing is fetched from elsewhere:
# a picture in a model's answer would carry the conversation to another host.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Envelope:
    """Pure ASGI, outermost. The request's id is in the connection's state and in `x-request-id`.

    An error that no app has answered becomes a 500 without any text of the request, and is logged without it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the app within the envelope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{uuid.uuid4().hex}"
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if headers.get("content-type", "").startswith("text/event-stream"):
                    headers["x-accel-buffering"] = "no"  # nginx keeps events to itself otherwise
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            # Only the server cancels a whole request, when its patience ends while it stops.
            if status is not None:
                raise
            await error_response(Stopping(retry_after_seconds=5))(scope, receive, sending)
        except Exception as failure:  # noqa: BLE001 - above this is only the server, which would log the error's text
            log_bug(failure, request_id)
            if status is None:
                await error_response(internal_error())(scope, receive, sending)
        finally:
            route = _route(scope)
            # Probes and the parts of the page come by the dozen: they are worth a line only when they fail.
            matters = route.startswith("/openai/v1") or status is None or status >= 500
            (log.info if matters and route not in OPEN_PATHS else log.debug)(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round((time.monotonic() - started) * 1000, 1),
            )


def _route(scope: Scope) -> str:
    """The route's pattern. The path itself may hold what a caller wrote, such as a model's id."""
    pattern = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{pattern}" if pattern is not None else "none"
