"""The log-in page, and what it needs to know of accounts."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import Protocol

from jinja2 import Environment, Template
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from workbench.core.caller import Caller
from workbench.core.errors import InvalidLogin, WorkbenchError

LOGIN_PATH = "/login"
LOGOUT_PATH = "/logout"
CHANGE_PATH = "/password"


class LoginNeeded(InvalidLogin):
    """A person opened a page without a session."""

    def __init__(self) -> None:
        super().__init__("Log in to see this page.")


class AccountRecord(Protocol):
    """An account; its sessions hold while `session_epoch` stays what it was."""

    @property
    def name(self) -> str:
        """Its name, as it is kept."""
        ...

    @property
    def session_epoch(self) -> int:
        """Counts how often its sessions were ended."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks from a page where it is logged in."""
        ...


class AccountBook(Protocol):
    """What knows the accounts."""

    async def log_in(self, name: str, password: str, address: str) -> AccountRecord:
        """The account whose password this is. Raises: InvalidLogin, RateLimited."""
        ...

    async def session(self, name: str, epoch: int) -> AccountRecord:
        """The account of a session begun at `epoch`. Raises: InvalidLogin when it has ended."""
        ...

    async def set_password(self, name: str, password: str) -> AccountRecord:
        """The account with another password; every session of it ends. Raises: NotFound, InvalidRequest."""
        ...

    async def end_sessions(self, name: str) -> None:
        """Every session of the account ends."""
        ...


@cache
def _template() -> Template:
    source = resources.files("assets").joinpath("ui", "login.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(source)


def login_page(connection: HTTPConnection, refusal: WorkbenchError | None = None) -> HTMLResponse:
    """The form, with the reason why the last attempt was refused. Its status says that nobody is logged in: 401."""
    action = f"{connection.scope.get('root_path', '').rstrip('/')}{LOGIN_PATH}"
    says = "" if refusal is None else refusal.message
    headers = {"cache-control": "no-store"}
    if refusal is not None and refusal.retry_after_seconds is not None:
        headers["retry-after"] = str(math.ceil(refusal.retry_after_seconds))
    status = 401 if refusal is None else refusal.status
    return HTMLResponse(_template().render(action=action, refusal=says), status, headers)
