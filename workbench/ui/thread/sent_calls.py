"""The page's own calls, handed to the browser as the API would have carried them, and read back to be shown as code.

What they hold lives in the browser's tab: the server keeps no list of them (js/calls.js does).
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from snippets import Endpoint, SentRequest, SnippetRequest, wire_body
from workbench.core.chat import GenerationRequest
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.screening import ScreeningChoice
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.moderation_field import moderation_of
from workbench.ui.thread.session import Turn

SUCCEEDED = 200


def call_record(
    source: str,
    request: GenerationRequest,
    turn: Turn,
    error: WorkbenchError | None,
    screening: ScreeningChoice | None = None,
) -> dict[str, Any]:
    """One answer of the page as a call: its body, status and response in the API's own words.

    `source` says which page made it. The page's own wish to see the settings applied is left out of the body.
    """
    metrics = turn.metrics
    asked = SnippetRequest(
        replace(request, report_effective=False),
        base_url="",
        is_streamed=True,
        moderation=moderation_of(screening),
    )
    return {
        "source": source,
        "at": round(time.time() * 1000),
        "endpoint": Endpoint.CHAT.value,
        "body": wire_body(asked),
        "status": SUCCEEDED if error is None else error.status,
        "milliseconds": 0 if metrics is None else round(metrics.seconds * 1000),
        "response": _response(turn, metrics)
        if error is None
        else {"error": {"message": error.message, "code": error.code}},
    }


def _response(turn: Turn, metrics: AnswerMetrics | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.answer}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.tool_calls
        ]
    finish = None if metrics is None else metrics.finish_reason
    used = (0, 0) if metrics is None else (metrics.prompt_tokens, metrics.completion_tokens)
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": used[0], "completion_tokens": used[1]},
    }


def records_json(records: list[dict[str, Any]]) -> str:
    """What js/calls.js takes."""
    return json.dumps(records)


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore")

    endpoint: Endpoint
    body: dict[str, JsonValue]


def read_sent(text: str, base_url: str, key: str | None = None) -> SentRequest:
    """A call that the browser handed back. Raises: InvalidRequest; it quotes nothing of the call."""
    try:
        sent = _Sent.model_validate_json(text)
        return SentRequest(sent.endpoint, sent.body, base_url, key)
    except (ValidationError, KeyError):
        raise InvalidRequest("This is not a call that can be shown as code.") from None
