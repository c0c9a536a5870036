"""POST /openai/v1/moderations."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from guard.moderation import ModerationResponse, moderation_response
from workbench.api.auth import CurrentCaller, CurrentWorkbench
from workbench.api.body import json_body
from workbench.api.disconnect import while_connected
from workbench.api.openapi import takes_body
from workbench.api.schemas.moderations import ModerationsBody

router = APIRouter()


@router.post(
    "/v1/moderations", summary="Judge texts or a conversation", openapi_extra=takes_body(ModerationsBody)
)
async def create_moderation(
    request: Request,
    body: Annotated[ModerationsBody, Depends(json_body(ModerationsBody))],
    caller: CurrentCaller,
    workbench: CurrentWorkbench,
) -> ModerationResponse:
    """A guard's verdict on each text, or on the last turn of a conversation."""
    judging = workbench.moderate(body.conversations(), caller, body.model)
    guard, verdicts = await while_connected(request.receive, judging)
    return moderation_response(f"modr-{uuid.uuid4().hex}", guard, verdicts)
