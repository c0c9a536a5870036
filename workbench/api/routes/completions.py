"""POST /openai/v1/completions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from workbench.api.auth import CurrentCaller, CurrentWorkbench, RequestId
from workbench.api.body import json_body
from workbench.api.completion_answer import TextChunks, text_completion
from workbench.api.disconnect import while_connected
from workbench.api.feed import open_feed
from workbench.api.openapi import takes_body
from workbench.api.schemas.answers import TextCompletion
from workbench.api.schemas.completions import CompletionBody
from workbench.api.sse import event_stream

router = APIRouter()


@router.post(
    "/v1/completions",
    summary="Continue text",
    response_model=TextCompletion,
    openapi_extra=takes_body(CompletionBody),
)
async def create_completion(
    request: Request,
    body: Annotated[CompletionBody, Depends(json_body(CompletionBody))],
    caller: CurrentCaller,
    workbench: CurrentWorkbench,
    request_id: RequestId,
) -> Response:
    """Continuations of one prompt or several, whole or as a stream of chunks."""
    feed = open_feed(workbench, body.requests(), caller, request_id, body.screening())
    if body.stream:
        return await event_stream(request, feed, TextChunks(body, feed.moderation, feed.timing))
    async with feed:
        completions = await while_connected(request.receive, feed.completions())
    answer = text_completion(body, completions, feed.timing, feed.moderation.answer())
    return Response(answer.model_dump_json(), headers=feed.headers, media_type="application/json")
