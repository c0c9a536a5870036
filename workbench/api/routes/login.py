"""POST /login and /logout: a session begins and ends. The form itself is what the door shows a stranger.

Other sites cannot send either form: the door refuses foreign origins, and the cookie is same-site.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from workbench.api.login import LOGIN_PATH, LOGOUT_PATH, AccountBook, login_page
from workbench.api.session import Session, Sessions
from workbench.core.errors import RequestTooLarge, WorkbenchError

_LARGEST_FORM_BYTES = 16 * 1024


def login_router(accounts: AccountBook, sessions: Sessions) -> APIRouter:
    """The routes over these accounts."""
    router = APIRouter()

    @router.post(LOGIN_PATH, include_in_schema=False)
    async def log_in(request: Request) -> Response:
        """Begins a session and leads to the page, or shows the form with the reason why not."""
        try:
            name, password = await _read_form(request)
            address = request.client.host if request.client is not None else ""
            account = await accounts.log_in(name, password, address)
        except WorkbenchError as refusal:
            return login_page(request, refusal)
        answer = _to_the_page(request)
        answer.headers.append(
            "set-cookie", sessions.cookie(request, Session(account.name, account.session_epoch))
        )
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

    return router


async def _read_form(request: Request) -> tuple[str, str]:
    """Name and password. Raises: RequestTooLarge for what is no such form."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM_BYTES:
            raise RequestTooLarge("A log-in form is shorter than that.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=None)
    return fields.get("name", [""])[0], fields.get("password", [""])[0]


def _to_the_page(request: Request) -> Response:
    """See other: the browser asks for the page anew, with GET."""
    return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/", status_code=303)
