"""Requests for models as tables, details and notices."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from workbench.model_requests import RequestDetails
from workbench.store import Duplicate, ModelRequest, RequestForm
from workbench.ui.notice import Kind, notice_html
from workbench.ui.tables import minute, table_html

_SHORT = 90
_PARTS = {
    "use_case": "Use case",
    "requirements": "Requirements and constraints",
    "evaluation_criteria": "How it will be judged",
    "current_limitations": "What the models here lack",
    "expected_concurrency": "Requests expected",
    "future_plans": "What comes after the trial",
}


def requests_table(requests: Sequence[ModelRequest], *, shows_account: bool) -> str:
    """The requests, newest first."""
    heads = ["Asked", "Model", "What for", "Wanted by", "State"]
    rows = [
        [minute(one.created_at)[:10], one.form.hub_id or "any", _short(one.form.description), _wanted_by(one),
         one.state.value]
        for one in requests
    ]  # fmt: skip
    if shows_account:
        heads.insert(1, "Account")
        for row, one in zip(rows, requests, strict=True):
            row.insert(1, one.account)
    return table_html("Requests", heads, rows, "No requests yet. Send the first one with the form above.")


def request_choices(requests: Sequence[ModelRequest]) -> list[tuple[str, str]]:
    """(label, id) of each request."""
    return [
        (f"{one.form.hub_id or _short(one.form.description)} ({one.state.value})", one.id) for one in requests
    ]


def details_html(details: RequestDetails) -> str:
    """A request with all that the caller may see of it."""
    request, form = details.request, details.request.form
    head = f"{form.category} · priority {form.priority.value} · wanted by {_wanted_by(request)}"
    parts = [f'<p translate="no">{escape(form.description)}</p>']
    if details.is_whole:
        parts.append(f"<p>From {escape(request.account)}, {escape(form.email)}</p>")
        parts += [_part(title, getattr(form, name)) for name, title in _PARTS.items() if getattr(form, name)]
    if details.supporters:
        parts.append(
            _part("Also wanted by", ", ".join(f"{one.account} ({one.email})" for one in details.supporters))
        )
    if details.attachments:
        parts.append(_part("Files", ", ".join(file.name for file in details.attachments)))
    notes = "".join(
        f"<li><b>{escape(note.author)}</b> <small>{minute(note.added_at)}</small>"
        f'<p translate="no">{escape(note.text)}</p></li>'
        for note in details.notes
    )
    answers = f'<ul class="wb-notes">{notes}</ul>' if notes else '<p class="wb-empty">No answer yet.</p>'
    return (
        f'<div class="wb-request"><h3>{escape(form.hub_id or "No model named")}'
        f'<span class="wb-badge wb-request-{request.state.value}">{request.state.value}</span></h3>'
        f'<p class="wb-none">{escape(head)}</p>{"".join(parts)}<h4>Answers</h4>{answers}</div>'
    )


def twins_html(twins: Sequence[Duplicate], already_here: str | None) -> str:
    """What is like the request that is being written; "" when nothing is."""
    notices = []
    if already_here is not None:
        notices.append(notice_html(Kind.INFO, "This model is here already",
                                   f"Choose {already_here} on the Serverless page."))  # fmt: skip
    if twins:
        count = (
            "A request like this was made before"
            if len(twins) == 1
            else f"{len(twins)} requests are like this one"
        )
        notices.append(notice_html(Kind.WARNING, count, "Add your name to it: one request with two names weighs more "
                                   "than two requests."))  # fmt: skip
    return "".join(notices)


def twin_choices(twins: Sequence[Duplicate]) -> list[tuple[str, str]]:
    """(label, id) of each."""
    return [
        (f"{one.form.hub_id or 'any model'}: {_short(one.form.description)} ({one.state.value})", one.id)
        for one in (twin.request for twin in twins)
    ]


def download_link(name: str, media_type: str, content: bytes) -> str:
    """A link that saves the content from the browser."""
    data = base64.b64encode(content).decode()
    return (
        f'<a class="wb-save" download="{escape(name)}" href="data:{escape(media_type)};base64,{data}">'
        f"Save {escape(name)}</a>"
    )


def export_links(files: Mapping[str, tuple[str, str]]) -> str:
    """Links that save each of `files`: name -> (media type, text)."""
    links = (download_link(name, media_type, text.encode()) for name, (media_type, text) in files.items())
    return f'<div class="wb-saves">{"".join(links)}</div>'


def sent_notice(form: RequestForm) -> str:
    """After a request was sent."""
    what = form.hub_id or "a model"
    return notice_html(Kind.INFO, "Your request is sent", f"An admin reads about {what} next. Its state and every "
                       "answer stand in the list below.")  # fmt: skip


def _wanted_by(request: ModelRequest) -> str:
    return "1 person" if request.supporters == 0 else f"{request.supporters + 1} people"


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rstrip()}…"


def _part(title: str, text: str) -> str:
    return f'<h4>{escape(title)}</h4><p translate="no">{escape(text)}</p>'
