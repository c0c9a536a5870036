"""Errors on the wire: OpenAI's error object for everything that can go wrong, from a bad field to a bug."""

from __future__ import annotations

import math
import traceback

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from workbench.api.disconnect import ClientLeft
from workbench.core.errors import InvalidRequest, NotFound, WorkbenchError

log = structlog.get_logger(__name__)

CLIENT_LEFT_STATUS = 499
"""Seen by nobody but the log: the client went away before there was an answer."""


class MethodNotAllowed(InvalidRequest):
    """The route is there, but not for this method."""

    status = 405


def error_response(failure: WorkbenchError) -> JSONResponse:
    """The failure as OpenAI's error object, with its status and headers."""
    headers = dict(failure.headers)
    if failure.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(failure.retry_after_seconds)))
    if failure.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(failure.as_openai(), failure.status, headers)


def internal_error() -> WorkbenchError:
    """What a client is told of a bug: nothing of its own text, nothing of ours."""
    return WorkbenchError("The server failed while it worked on this request. The operator's log says where.")


def log_bug(failure: BaseException, request_id: str) -> None:
    """Logs where an unexpected error came from: its type and the lines it passed.

    Never its message, which may quote the request.
    """
    lines = [
        f"{line.filename}:{line.lineno} {line.name}" for line in traceback.extract_tb(failure.__traceback__)
    ]
    log.error("unexpected error", kind=type(failure).__name__, request_id=request_id, lines=lines[-12:])


def add_error_handlers(app: FastAPI) -> None:
    """Makes every answer of `app` that is not a success an OpenAI error object."""
    app.add_exception_handler(WorkbenchError, _on_workbench_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientLeft, _on_client_left)
    app.add_exception_handler(ClientDisconnect, _on_client_left)
    # Starlette raises the error again after this answer; the envelope logs it.
    app.add_exception_handler(Exception, _on_bug)


async def _on_workbench_error(request: Request, failure: Exception) -> Response:
    return error_response(failure if isinstance(failure, WorkbenchError) else internal_error())


async def _on_http_error(request: Request, failure: Exception) -> Response:
    if not isinstance(failure, HTTPException):
        return error_response(internal_error())
    headers = dict(failure.headers or {})
    if failure.status_code == 404:
        return error_response(NotFound("There is no such route. /openai/docs lists what there is."))
    if failure.status_code == 405:
        allowed = headers.get("Allow", "another method")
        return error_response(
            MethodNotAllowed(f"{request.method} is not allowed here. Use {allowed}.", headers=headers)
        )
    return error_response(InvalidRequest(str(failure.detail), headers=headers))


async def _on_client_left(request: Request, failure: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT_STATUS)


async def _on_bug(request: Request, failure: Exception) -> Response:
    return error_response(internal_error())
