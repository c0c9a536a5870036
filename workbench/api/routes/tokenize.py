"""POST /openai/v1/tokenize."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from workbench.api.auth import CurrentCaller, CurrentWorkbench
from workbench.api.body import json_body
from workbench.api.disconnect import while_connected
from workbench.api.openapi import takes_body
from workbench.api.schemas.tokenize import TokenizeBody, Tokenized

router = APIRouter()


@router.post("/v1/tokenize", summary="Count tokens", openapi_extra=takes_body(TokenizeBody))
async def tokenize(
    request: Request,
    body: Annotated[TokenizeBody, Depends(json_body(TokenizeBody))],
    caller: CurrentCaller,
    workbench: CurrentWorkbench,
) -> Tokenized:
    """The token ids of a text or a rendered conversation, as the model would see them."""
    asked = workbench.tokenize(body.model, body.normal(), caller)
    tokens = await while_connected(request.receive, asked)
    info = workbench.model(body.model, caller).info
    return Tokenized(
        tokens=list(tokens),
        count=len(tokens),
        max_model_len=info.context_length if info is not None else None,
    )
