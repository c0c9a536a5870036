"""A request as code that runs: what the page's API view shows, copies and downloads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from snippets.languages import LANGUAGES
from snippets.literals import (
    Name,
    Value,
    heredoc,
    javascript_literal,
    json_literal,
    python_literal,
    shell_word,
)
from snippets.request import KEY_VARIABLE, Endpoint, SnippetRequest
from snippets.sent import SentRequest
from snippets.wire import OPENAI_FIELDS, wire_body
from workbench.core.chat import Role

_REPORTS = ("moderation", "x_effective", "x_timing")
"""Request fields that the response answers with a field of the same name, printed beside the answer."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A program. `install_line` is None where nothing has to be installed first."""

    code: str
    install_line: str | None
    file_name: str
    editor_language: str


def render(request: SnippetRequest | SentRequest, language: str, client: str | None = None) -> Snippet:
    """`request` as a program in `language` (a key of LANGUAGES) through `client`, by default its first one.

    Raises: KeyError for a language or client that the table does not have.
    """
    spec = LANGUAGES[language]
    chosen = spec.client(client)
    template = _environment().get_template(f"{spec.name}/{chosen.name}.jinja")
    context = _context(request)
    kind = "guarded" if context["is_guarded"] else "chat" if context["is_chat"] else "completion"
    return Snippet(
        code=template.render(context),
        install_line=chosen.install_line,
        file_name=f"{kind}.{spec.suffix}",
        editor_language=spec.editor_language,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("snippets"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - program text: snippets.literals quotes every value
    )
    environment.filters.update(
        python=python_literal,
        javascript=javascript_literal,
        json=json_literal,
        shell=shell_word,
        heredoc=heredoc,
    )
    return environment


def _context(request: SnippetRequest | SentRequest) -> dict[str, Any]:
    """What the templates read. In a guarded pipeline the text to check is a variable, `subject_name`."""
    if isinstance(request, SentRequest):
        sent, guarded = dict(request.body), None
    else:
        sent, guarded = wire_body(request), request if request.is_guarded else None
    is_chat = request.endpoint is Endpoint.CHAT
    subject_name = "messages" if is_chat else "prompt"
    body: dict[str, Value] = {**sent}
    if guarded is not None:
        body[subject_name] = Name(subject_name)
    known = OPENAI_FIELDS[request.endpoint]
    choices = sent.get("n", 1)
    guard = {} if guarded is None or guarded.guard is None else {"model": guarded.guard}
    return {
        "base_url": request.base_url.rstrip("/"),
        "key": request.key,
        "key_variable": KEY_VARIABLE,
        "route": request.endpoint.value,
        "is_chat": is_chat,
        "is_streamed": sent.get("stream") is True,
        "is_guarded": guarded is not None,
        "sent": sent,
        "body": body,
        "arguments": {name: value for name, value in body.items() if name in known},
        "extra_body": {name: value for name, value in body.items() if name not in known},
        "subject_name": subject_name,
        "subject": sent[subject_name],
        "checked_index": None if guarded is None else _checked_index(guarded),
        "check_body": {**guard, "input": Name("texts")},
        "choices": choices,
        "collects_answers": guarded is not None or choices != 1,
        "has_tools": "tools" in sent,
        "reports": [field for field in _REPORTS if field in sent],
    }


def _checked_index(request: SnippetRequest) -> int | None:
    """Which message the guard reads: the last one a user wrote, else the last; None for a plain prompt."""
    messages = getattr(request.generation.prompt, "messages", None)
    if messages is None:
        return None
    from_user = [index for index, message in enumerate(messages) if message.role is Role.USER]
    index = from_user[-1] if from_user else len(messages) - 1
    return -1 if index == len(messages) - 1 else index
