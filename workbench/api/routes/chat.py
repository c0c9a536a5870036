"""POST /openai/v1/chat/completions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from workbench.api.auth import CurrentCaller, CurrentWorkbench, RequestId
from workbench.api.body import json_body
from workbench.api.chat_answer import ChatChunks, chat_completion
from workbench.api.disconnect import while_connected
from workbench.api.feed import open_feed
from workbench.api.openapi import takes_body
from workbench.api.schemas.answers import ChatCompletion
from workbench.api.schemas.chat import ChatBody
from workbench.api.sse import event_stream

router = APIRouter()


@router.post(
    "/v1/chat/completions",
    summary="Answer a conversation",
    response_model=ChatCompletion,
    openapi_extra=takes_body(ChatBody),
)
async def create_chat_completion(
    request: Request,
    body: Annotated[ChatBody, Depends(json_body(ChatBody))],
    caller: CurrentCaller,
    workbench: CurrentWorkbench,
    request_id: RequestId,
) -> Response:
    """The next turn of the conversation, whole or as a stream of chunks."""
    feed = open_feed(workbench, [body.request()], caller, request_id, body.screening())
    if body.stream:
        return await event_stream(request, feed, ChatChunks(body, feed.moderation, feed.timing))
    async with feed:
        (completion,) = await while_connected(request.receive, feed.completions())
    answer = chat_completion(body, completion, feed.timing, feed.moderation.answer())
    return Response(answer.model_dump_json(), headers=feed.headers, media_type="application/json")
