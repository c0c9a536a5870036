"""Pages of other origins that may call the API with a key of their own (CORS). None may, unless the operator says so.

Never with credentials: a browser sends such a page's requests without the session cookie, and none is read from them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Send

from workbench.core.errors import ConfigurationError

_API = "/openai/v1/"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
_RATES = (
    f"x-ratelimit-{what}-{of}" for of in ("requests", "tokens") for what in ("limit", "remaining", "reset")
)
_TOLD = ", ".join(("x-request-id", "retry-after", "x-should-retry", *_RATES))


class Cors:
    """The origins that the operator lists.

    Raises: ConfigurationError for what is no origin; `*` is none.
    """

    def __init__(self, origins: Collection[str] = ()) -> None:
        for origin in origins:
            if _ORIGIN.fullmatch(origin) is None:
                raise ConfigurationError(
                    "WORKBENCH_CORS_ORIGINS: name origins such as https://app.example.org, separated by commas; "
                    "`*` is not accepted."
                )
        self._origins = frozenset(origins)

    def guest(self, headers: Headers, path: str) -> str | None:
        """The listed origin whose page asks for a route of the API; None for anything else."""
        origins = headers.getlist("origin")
        is_listed = len(origins) == 1 and origins[0] in self._origins
        return origins[0] if is_listed and path.startswith(_API) else None

    def preflight(self, headers: Headers) -> Response:
        """What a browser is told when it asks whether it may send a request."""
        wanted = headers.get("access-control-request-headers", "")
        allowed = {
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": wanted,
            "access-control-max-age": "600",
            "vary": "Origin, Access-Control-Request-Headers",
        }
        return Response(status_code=204, headers=allowed)

    def answering(self, send: Send, guest: str | None) -> Send:
        """Sends answers with this origin's permission, and with no other that an app behind may have given."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                given = ("access-control-allow-origin", "access-control-allow-credentials")
                for name in given:
                    del headers[name]
                if guest is not None:
                    headers["access-control-allow-origin"] = guest
                    headers["access-control-expose-headers"] = _TOLD
                    headers.add_vary_header("Origin")
            await send(message)

        return sending


def is_preflight(method: str, headers: Headers) -> bool:
    """True for a browser's question before the request itself."""
    return method == "OPTIONS" and "access-control-request-method" in headers
