"""The settings that have no slider, as JSON: any parameter of the table, and the chat template's own arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from workbench.core.errors import InvalidRequest
from workbench.core.params import PANEL_PARAMS, PARAMS, GenerationParams

TEMPLATE_ARGUMENTS = "chat_template_kwargs"
_ELSEWHERE = {
    "model": "choose it above",
    "messages": "they are the conversation",
    "prompt": "it is the message",
    "stream": "the page streams; the API view has a switch",
    "tools": "they have a drawer",
    "response_format": "JSON Schema has a drawer",
    "logprobs": "Token probabilities has a switch",
    "moderation": "the guard has its own settings",
}


@dataclass(frozen=True, slots=True)
class RawSettings:
    """What the box says: parameters by name, and arguments of the chat template."""

    params: Mapping[str, Any] = field(default_factory=dict)
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)


def read_raw(text: str) -> RawSettings:
    """The settings that were typed; they win over the sliders. Raises: InvalidRequest naming what is wrong."""
    if not text.strip():
        return RawSettings()
    try:
        given = json.loads(text)
    except json.JSONDecodeError as failure:
        place = f"line {failure.lineno}, column {failure.colno}"
        raise InvalidRequest(f"Raw JSON: {place}: {failure.msg}.") from None
    if not isinstance(given, dict):
        raise InvalidRequest("Raw JSON: it must be an object, {…}.")
    template_kwargs = given.pop(TEMPLATE_ARGUMENTS, {})
    if not isinstance(template_kwargs, dict):
        raise InvalidRequest(f"Raw JSON: `{TEMPLATE_ARGUMENTS}` must be an object.", param=TEMPLATE_ARGUMENTS)
    for name in given:
        if name not in PARAMS:
            why = _ELSEWHERE.get(name, f"known are {', '.join(PARAMS)} and {TEMPLATE_ARGUMENTS}")
            raise InvalidRequest(f"Raw JSON: `{name}` is not set here: {why}.", param=name)
    try:
        GenerationParams(**given)
    except ValidationError as failure:
        first = failure.errors()[0]
        name = str(first["loc"][0])
        raise InvalidRequest(f"Raw JSON: `{name}`: {first['msg']}.", param=name) from None
    return RawSettings(given, template_kwargs)


def raw_summary(text: str) -> str:
    """What the box sets, in words; "" for nothing. Raises: InvalidRequest."""
    raw = read_raw(text)
    names = [*raw.params, *([TEMPLATE_ARGUMENTS] if raw.template_kwargs else [])]
    if not names:
        return ""
    over = [spec.label for spec in PANEL_PARAMS if spec.name in raw.params]
    return f"Sets {', '.join(names)}" + (f"; wins over {', '.join(over)} above" if over else "")
