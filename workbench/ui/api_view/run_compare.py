"""Run & compare: the request of the API view through the HTTP door and through the page, one after the other."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from snippets import SnippetRequest, wire_body
from workbench.core.caller import Caller
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.screening import ScreeningChoice
from workbench.service import CallOptions, Workbench
from workbench.ui.differences import difference_html
from workbench.ui.notice import Kind, error_notice, notice_html
from workbench.ui.thread.metrics import duration

_NO_ANSWER = "The HTTP call gave no answer that can be compared."


def with_seed(request: SnippetRequest, seed: int | None = None) -> SnippetRequest:
    """The request, not streamed, with a seed: its own, the one given, or a fresh one."""
    params = request.generation.params
    if params.seed is None:
        params = params.model_copy(update={"seed": secrets.randbelow(2**31) if seed is None else seed})
    return replace(request, generation=replace(request.generation, params=params), is_streamed=False)


def body_json(request: SnippetRequest) -> str:
    """What the browser is to POST."""
    return json.dumps(wire_body(request))


def seed_of(body: str) -> int | None:
    """The seed a body of `body_json` carries."""
    seed = json.loads(body).get("seed")
    return seed if isinstance(seed, int) else None


class _Call(BaseModel):
    """What js/api.js tells of its call."""

    model_config = ConfigDict(extra="ignore")

    status: int
    milliseconds: float
    response: Any = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One side of the comparison."""

    text: str
    finish_reason: str
    completion_tokens: int
    seconds: float


def read_call(text: str) -> Answered:
    """The HTTP side. Raises: InvalidRequest with the API's own message when the call was refused."""
    try:
        call = _Call.model_validate_json(text)
    except ValidationError:
        raise InvalidRequest(_NO_ANSWER) from None
    response: Mapping[str, Any] = call.response if isinstance(call.response, dict) else {}
    if call.status != 200:
        message = response.get("error", {}).get("message", _NO_ANSWER)
        raise InvalidRequest(f"The API answered {call.status}: {message}")
    try:
        choice = response["choices"][0]
        tokens = int(response["usage"]["completion_tokens"])
        said = choice["message"]["content"] if "message" in choice else choice["text"]
        text = str(said or "")
        return Answered(text, str(choice["finish_reason"]), tokens, call.milliseconds / 1000)
    except (KeyError, IndexError, TypeError):
        raise InvalidRequest(_NO_ANSWER) from None


async def compare_with_page(
    workbench: Workbench,
    request: SnippetRequest,
    call: str,
    caller: Caller,
    screening: ScreeningChoice | None = None,
) -> str:
    """The verdict as HTML. `request` is the one the call carried; `screening` is its moderation."""
    try:
        api = read_call(call)
        began = time.monotonic()
        completion = await workbench.complete(request.generation, caller, CallOptions(screening=screening))
        choice = completion.choices[0]
        tokens = completion.usage.completion_tokens
        page = Answered(choice.content, choice.finish_reason.value, tokens, time.monotonic() - began)
    except WorkbenchError as failure:
        return error_notice(failure)
    return agreement_html(api, page, request.generation.params.seed)


def agreement_html(api: Answered, page: Answered, seed: int | None) -> str:
    """Whether both doors gave the same, and both answers when they did not."""
    is_same = (api.text, api.finish_reason, api.completion_tokens) == (
        page.text,
        page.finish_reason,
        page.completion_tokens,
    )
    times = f"API {duration(api.seconds)}, page {duration(page.seconds)}; run alone, one after the other; seed {seed}."
    if is_same:
        title = f"The API and the page agree: the same {api.completion_tokens:,} tokens"
        return notice_html(Kind.INFO, title, times) + f'<pre class="wb-run-answer">{escape(api.text)}</pre>'
    counts = " and ".join(
        f"{name} {side.completion_tokens:,} tokens ({side.finish_reason})"
        for name, side in (("API", api), ("page", page))
    )
    difference = f'<div class="wb-differences"><p>{difference_html(api.text, page.text)}</p></div>'
    return notice_html(Kind.WARNING, "The API and the page differ", f"{counts}. {times}") + difference
