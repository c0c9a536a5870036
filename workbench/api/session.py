"""The page's session: a signed cookie that scripts cannot read, naming the account the page acts for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection

LIFETIME_SECONDS = 30 * 24 * 3600


_SESSION = re.compile(r"(?P<account>.+):(?P<epoch>[0-9]{1,18})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Session:
    """Whom a cookie was issued to, and at which count of that account's ended sessions."""

    account: str
    epoch: int = 0


class Sessions:
    """Issues and reads session cookies, signed with `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._signer = TimestampSigner(secret, salt="workbench session")

    def read(self, connection: HTTPConnection) -> Session | None:
        """The session of this request's cookie; None without a cookie that is ours and fresh."""
        value = connection.cookies.get(_name(connection))
        if value is None:
            return None
        try:
            signed = self._signer.unsign(value, max_age=LIFETIME_SECONDS).decode()
        except (BadSignature, UnicodeDecodeError):
            return None
        found = _SESSION.fullmatch(signed)
        return None if found is None else Session(found["account"], int(found["epoch"]))

    def cookie(self, connection: HTTPConnection, session: Session) -> str:
        """A Set-Cookie header's value that signs this browser in until it is closed.

        Raises: ValueError for an account's name that no cookie can hold.
        """
        return _set_cookie(connection, self._signer.sign(f"{session.account}:{session.epoch}").decode())

    def end(self, connection: HTTPConnection) -> str:
        """A Set-Cookie header's value that takes the cookie away."""
        return f"{_set_cookie(connection, '')}; Max-Age=0"


def _set_cookie(connection: HTTPConnection, value: str) -> str:
    """Raises: ValueError for a value that no cookie can hold."""
    jar: SimpleCookie = SimpleCookie()
    name = _name(connection)
    try:
        jar[name] = value
    except CookieError as failure:
        raise ValueError("this name cannot be put into a cookie") from failure
    jar[name]["path"] = connection.scope.get("root_path") or "/"
    jar[name]["httponly"] = True
    jar[name]["samesite"] = "Lax"
    jar[name]["secure"] = connection.url.scheme == "https"
    return jar[name].OutputString()


def _name(connection: HTTPConnection) -> str:
    """The cookie's name. Browsers share cookies between the ports of a host, so the port is part of it."""
    port = connection.url.port
    return f"workbench_session_{port}" if port is not None else "workbench_session"
