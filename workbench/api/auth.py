"""Who is asking: the caller that the access rules found, as the routes see it.

The dependencies are coroutines although they wait for nothing: plain functions would each cost a thread.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from workbench.core.caller import Caller
from workbench.core.errors import InvalidApiKey
from workbench.service import Workbench


async def current_caller(request: Request) -> Caller:
    """The caller of this request.

    Raises: InvalidApiKey when nothing in front of this app has let anyone in: it never serves by itself.
    """
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        raise InvalidApiKey("Invalid API key: none was sent. Send `Authorization: Bearer KEY`.")
    return caller


async def current_workbench(request: Request) -> Workbench:
    """The service this app is a door of."""
    workbench: Workbench = request.app.state.workbench
    return workbench


async def current_request_id(request: Request) -> str:
    """The id that the answer's x-request-id carries; empty without the envelope."""
    return str(getattr(request.state, "request_id", ""))


CurrentCaller = Annotated[Caller, Depends(current_caller)]
CurrentWorkbench = Annotated[Workbench, Depends(current_workbench)]
RequestId = Annotated[str, Depends(current_request_id)]
