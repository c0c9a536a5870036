"""Which Host and Origin headers are ours. Others mean a foreign page, or a name that was made to point here."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[a-zA-Z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A host by its lower-case name or address, and a port; None is the scheme's own."""

    name: str
    port: int | None

    @classmethod
    def read(cls, host: str, scheme: str = "") -> Place | None:
        """The place a Host header (or the end of an Origin) names; None when it is malformed."""
        found = _HOST.fullmatch(host)
        if found is None:
            return None
        port = None if found["port"] is None else int(found["port"])
        name = (found["address"] or found["name"]).lower()
        return cls(name, None if port == _DEFAULT_PORTS.get(scheme) else port)


class HostRules:
    """The names this server answers to: loopback's, the `allowed` ones, and that of `public_url`."""

    def __init__(self, allowed: Collection[str] = (), public_url: str | None = None) -> None:
        public = urlsplit(public_url or "")
        self._public = Place.read(public.netloc, public.scheme)
        names = {name.lower() for name in allowed} | LOOPBACK_NAMES
        self._names = names | ({self._public.name} if self._public is not None else set())

    def is_our_host(self, headers: Headers) -> bool:
        """True for exactly one Host header with a name of ours."""
        hosts = headers.getlist("host")
        place = Place.read(hosts[0]) if len(hosts) == 1 else None
        return place is not None and place.name in self._names

    def is_our_page(self, headers: Headers) -> bool:
        """True for a request of our own page, of no page at all (a script, a typed address), or of a link to us.

        Browsers name the page by Origin, and by Sec-Fetch-Site where they send no Origin.
        """
        origins = headers.getlist("origin")
        if origins:
            return len(origins) == 1 and self._is_our_origin(origins[0], headers.get("host", ""))
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return headers.get("sec-fetch-mode") == "navigate"
        return True

    def _is_our_origin(self, origin: str, host: str) -> bool:
        found = _ORIGIN.fullmatch(origin)
        if found is None:
            return False
        place = Place.read(found["host"], found["scheme"])
        return place is not None and place in (Place.read(host, found["scheme"]), self._public)
