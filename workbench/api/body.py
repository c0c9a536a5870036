"""Request bodies: JSON checked against a schema, with OpenAI's 400 for whatever is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from workbench.api.schemas.base import UNSUPPORTED
from workbench.core.errors import InvalidRequest, UnsupportedParameter

Body = TypeVar("Body", bound=BaseModel)


def json_body(schema: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that gives the request's body as `schema`.

    Raises: InvalidRequest, UnsupportedParameter.
    """

    async def read(request: Request) -> Body:
        return parse(schema, await request.body())

    return read


def parse(schema: type[Body], raw: bytes) -> Body:
    """`raw` as `schema`.

    Raises: InvalidRequest for what is not JSON or has a wrong value, UnsupportedParameter for a field or value
    that is not honoured; `param` names it.
    """
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as failure:
        raise InvalidRequest(f"The body is not valid JSON: {failure}.") from None
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    try:
        return schema.model_validate(value)
    except ValidationError as failure:
        # `from None`: a ValidationError quotes the request, which no traceback may.
        raise _as_request_error(failure.errors(include_url=False), value) from None


def _as_request_error(details: Sequence[ErrorDetails], body: object) -> InvalidRequest:
    """One error for the field that failed deepest in the body, with all that was said of it."""
    paths = [_path(error, body) for error in details]
    worst = max(paths, key=len)
    failed = [error for error, path in zip(details, paths, strict=True) if path == worst]
    kind = UnsupportedParameter if failed[0]["type"] in ("extra_forbidden", UNSUPPORTED) else InvalidRequest
    name = _dotted(worst)
    messages = list(dict.fromkeys(_message(error) for error in failed))
    return kind(f"{f'`{name}`: ' if name else ''}{' '.join(messages)}", param=name or None)


def _path(error: ErrorDetails, body: object) -> tuple[str | int, ...]:
    """Where in the body the error is: pydantic's location without what names a union's branches."""
    path: list[str | int] = []
    value: Any = body
    is_missing = error["type"] == "missing"
    for step in error["loc"][:-1] if is_missing else error["loc"]:
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        in_object = isinstance(value, dict) and step in value
        if not (in_list or in_object):
            continue
        value = value[step]
        path.append(step)
    if is_missing:
        path.append(error["loc"][-1])
    elif error["type"].startswith("union_tag"):
        path.append(str(error["ctx"]["discriminator"]).strip("'"))
    elif field := error.get("ctx", {}).get("field"):
        path.append(field)
    return tuple(path)


def _dotted(path: Sequence[str | int]) -> str:
    """`messages[0].content` for ("messages", 0, "content")."""
    dotted = ""
    for step in path:
        dotted += f"[{step}]" if isinstance(step, int) else f".{step}" if dotted else step
    return dotted


def _message(error: ErrorDetails) -> str:
    """What is wrong, as a sentence. It may quote the request: it goes to its sender and nowhere else."""
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return "This field is not known here, and nothing is ignored. Leave it out."
        case "missing" | "union_tag_not_found":
            return "This field is required."
        case "union_tag_invalid":
            return f"It should be one of {context['expected_tags']}."
        case _:
            return f"{error['msg'].rstrip('.')}."
