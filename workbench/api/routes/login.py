"""POST /login, /logout and /password: a session begins, ends, and outlives a change of the password.

The log-in form itself is what the door shows a stranger. Other sites cannot send any of these forms: the door refuses
foreign origins, and the cookie is same-site.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from workbench.api.login import (
    CHANGE_PATH,
    LOGIN_PATH,
    LOGOUT_PATH,
    AccountBook,
    AccountRecord,
    login_page,
)
from workbench.api.session import Session, Sessions
from workbench.core.errors import InvalidLogin, InvalidRequest, RequestTooLarge, WorkbenchError

_LARGEST_FORM_BYTES = 16 * 1024


def login_router(accounts: AccountBook, sessions: Sessions) -> APIRouter:
    """The routes over these accounts."""
    router = APIRouter()

    @router.post(LOGIN_PATH, include_in_schema=False)
    async def log_in(request: Request) -> Response:
        """Begins a session and leads to the page, or shows the form with the reason why not."""
        try:
            name, password = await _read_form(request, "name", "password")
            account = await accounts.log_in(name, password, _address(request))
        except WorkbenchError as refusal:
            return login_page(request, refusal)
        answer = _to_the_page(request)
        _sign_in(request, answer, account)
        return answer

    @router.post(LOGOUT_PATH, include_in_schema=False)
    async def log_out(request: Request) -> Response:
        """Ends every session of the account, here and elsewhere, so that a copied cookie opens nothing."""
        session = sessions.read(request)
        if session is not None:
            await accounts.end_sessions(session.account)
        answer = _to_the_page(request)
        answer.headers.append("set-cookie", sessions.end(request))
        return answer

    @router.post(CHANGE_PATH, include_in_schema=False)
    async def change_password(request: Request) -> Response:
        """Another password for whoever is logged in. Every other session of the account ends; this one goes on."""
        session = sessions.read(request)
        if session is None:
            raise InvalidLogin("Log in to change the password.")
        old, new, again = await _read_form(request, "old", "new", "again")
        if new != again:
            raise InvalidRequest("The new passwords differ. Type the same one twice.", param="again")
        try:
            await accounts.log_in(session.account, old, _address(request))
        except InvalidLogin as refusal:
            raise InvalidLogin("The password is wrong: type the one you logged in with.") from refusal
        answer = Response(status_code=204)
        _sign_in(request, answer, await accounts.set_password(session.account, new))
        return answer

    def _sign_in(request: Request, answer: Response, account: AccountRecord) -> None:
        cookie = sessions.cookie(request, Session(account.name, account.session_epoch))
        answer.headers.append("set-cookie", cookie)

    return router


def _address(request: Request) -> str:
    """Where the attempt comes from."""
    return request.client.host if request.client is not None else ""


async def _read_form(request: Request, *names: str) -> list[str]:
    """The fields of these names, empty where one is missing. Raises: RequestTooLarge for what is no such form."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM_BYTES:
            raise RequestTooLarge("This form is shorter than that.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=None)
    return [fields.get(name, [""])[0] for name in names]


def _to_the_page(request: Request) -> Response:
    """See other: the browser asks for the page anew, with GET."""
    return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/", status_code=303)
