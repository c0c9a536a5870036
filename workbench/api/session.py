"""The page's session: a signed cookie that scripts cannot read, naming the account the page acts for."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection

LIFETIME_SECONDS = 30 * 24 * 3600


class Sessions:
    """Issues and reads session cookies, signed with `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._signer = TimestampSigner(secret, salt="workbench session")

    def account(self, connection: HTTPConnection) -> str | None:
        """The account this request's cookie was issued to; None without a cookie that is ours and fresh."""
        value = connection.cookies.get(_name(connection))
        if value is None:
            return None
        try:
            return self._signer.unsign(value, max_age=LIFETIME_SECONDS).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def cookie(self, connection: HTTPConnection, account: str) -> str:
        """A Set-Cookie header's value that signs this browser in as `account` until it is closed.

        Raises: ValueError for an account's name that no cookie can hold.
        """
        jar: SimpleCookie = SimpleCookie()
        name = _name(connection)
        try:
            jar[name] = self._signer.sign(account).decode()
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
