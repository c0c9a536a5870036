"""What happens on the Requests page. Each handler asks the desk as the account that the session belongs to."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.core.errors import HubUnreachable, InvalidRequest, WorkbenchError
from workbench.model_requests import RequestDesk, Upload
from workbench.request_export import as_csv, as_jsonl
from workbench.store import ModelRequest, RequestForm, RequestState
from workbench.ui.feasibility_view import feasibility_html, unknown_html
from workbench.ui.identity import CallerOf
from workbench.ui.notice import Kind, error_notice, notice_html
from workbench.ui.requests.form import read_request
from workbench.ui.requests.view import (
    details_html,
    download_link,
    export_links,
    request_choices,
    requests_table,
    sent_notice,
    twin_choices,
    twins_html,
)

ALL, OWN = "All", "Mine"
"""Which requests are listed, besides those of one state."""
_NO_HUB = (
    "The hub cannot be reached from this server, so size, architecture and licence are not known. Send the request all "
    "the same."
)


class RequestEvents:
    """The handlers."""

    def __init__(self, desk: RequestDesk, caller_of: CallerOf) -> None:
        self._desk = desk
        self._caller_of = caller_of

    async def look_for_twins(
        self, request: gr.Request, hub_id: str, description: str, use_case: str
    ) -> tuple[str, gr.Dropdown, gr.Row]:
        """What is like the unfinished request, with the way to support it."""
        caller = self._caller_of(request)
        form = RequestForm("", "", description or "", hub_id=hub_id or "", use_case=use_case or "")
        try:
            twins = await self._desk.duplicates(caller, form)
        except WorkbenchError as failure:
            return error_notice(failure), gr.Dropdown([], value=None), gr.Row(visible=False)
        choices = twin_choices(twins)
        first = choices[0][1] if choices else None
        notices = twins_html(twins, self._desk.already_here(caller, form.hub_id))
        return notices, gr.Dropdown(choices, value=first), gr.Row(visible=bool(choices))

    async def hint(self, request: gr.Request, hub_id: str) -> str:
        """Whether the model would run here; "" while none is named."""
        if not (hub_id or "").strip() or self._desk.already_here(self._caller_of(request), hub_id):
            return ""
        try:
            return feasibility_html(await self._desk.feasibility(hub_id), hub_id.strip())
        except HubUnreachable:
            return unknown_html(_NO_HUB)
        except WorkbenchError as failure:
            return unknown_html(failure.message)

    async def send(
        self, request: gr.Request, files: Sequence[str] | None, *values: object
    ) -> tuple[Any, ...]:
        """A notice, and an empty form once the request is sent."""
        form = read_request(values)
        try:
            uploads = await asyncio.to_thread(_read_files, files or ())
            await self._desk.create(self._caller_of(request), form, uploads)
        except WorkbenchError as failure:
            return error_notice(failure), gr.skip(), *(gr.skip() for _ in values)
        # The e-mail, the category and the priority stay: the next request is probably like it.
        kept = {1, 2, 3}
        emptied = (gr.skip() if place in kept else "" for place in range(len(values)))
        return sent_notice(form), None, *emptied

    async def support(self, request: gr.Request, request_id: str | None, email: str) -> str:
        """Adds the caller's name to a request."""
        try:
            await self._desk.support(self._caller_of(request), _chosen(request_id), (email or "").strip())
        except WorkbenchError as failure:
            return error_notice(failure)
        return notice_html(Kind.INFO, "Your name is on it", "You need not send a request of your own.")

    async def opened(self, request: gr.Request, shown: str) -> tuple[Any, ...]:
        """The list, and the tools of an admin."""
        is_admin = self._caller_of(request).is_admin
        return *await self.listed(request, shown), gr.Column(visible=is_admin), gr.Button(visible=is_admin)

    async def listed(
        self, request: gr.Request, shown: str, chosen: str | None = None
    ) -> tuple[str, gr.Dropdown]:
        """The table, and the requests that can be read; `chosen` stays chosen while it is among them."""
        try:
            found = await self._found(request, shown)
        except WorkbenchError as failure:
            return error_notice(failure), gr.Dropdown([], value=None)
        choices = request_choices(found)
        ids = [id_ for _, id_ in choices]
        value = chosen if chosen in ids else next(iter(ids), None)
        table = requests_table(found, shows_account=self._caller_of(request).is_admin)
        return table, gr.Dropdown(choices, value=value)

    async def _found(self, request: gr.Request, shown: str) -> Sequence[ModelRequest]:
        state = None if shown in (ALL, OWN) else RequestState(shown)
        return await self._desk.list(self._caller_of(request), state=state, is_own=shown == OWN)

    async def read(self, request: gr.Request, request_id: str | None) -> tuple[Any, Any]:
        """One request in full, and its state."""
        if not request_id:
            return "", gr.skip()
        try:
            details = await self._desk.details(self._caller_of(request), request_id)
        except WorkbenchError as failure:
            return error_notice(failure), gr.skip()
        return details_html(details), details.request.state.value

    async def answer(
        self, request: gr.Request, request_id: str | None, state: str, note: str
    ) -> tuple[str, Any]:
        """Saves another state, with a note."""
        try:
            caller, chosen = self._caller_of(request), _chosen(request_id)
            await self._desk.answer(caller, chosen, RequestState(state), note or "")
        except WorkbenchError as failure:
            return error_notice(failure), gr.skip()
        return notice_html(Kind.INFO, "The answer is saved", f"The request is {state} now."), ""

    async def accept(self, request: gr.Request, request_id: str | None) -> str:
        """Adds the model that was asked for to the catalogue."""
        try:
            await self._desk.accept(self._caller_of(request), _chosen(request_id))
        except WorkbenchError as failure:
            return error_notice(failure)
        return notice_html(
            Kind.INFO, "Accepted", "The model is in the catalogue and is being loaded. The request becomes available "
            "by itself when the model answers.",
        )  # fmt: skip

    async def files(self, request: gr.Request, request_id: str | None) -> tuple[str, str]:
        """Links that save the request's files."""
        try:
            caller, chosen = self._caller_of(request), _chosen(request_id)
            details = await self._desk.details(caller, chosen)
            links = [
                download_link(
                    file.name, "application/octet-stream", await self._desk.content(caller, chosen, file.id)
                )
                for file in details.attachments
            ]
        except WorkbenchError as failure:
            return error_notice(failure), ""
        if not links:
            return notice_html(Kind.INFO, "This request has no files"), ""
        return "", f'<div class="wb-saves">{"".join(links)}</div>'

    async def export(self, request: gr.Request) -> tuple[str, str]:
        """Links that save all requests."""
        caller = self._caller_of(request)
        try:
            files = {
                "requests.csv": ("text/csv", await self._desk.export(caller, as_csv)),
                "requests.jsonl": ("application/jsonl", await self._desk.export(caller, as_jsonl)),
            }
        except WorkbenchError as failure:
            return error_notice(failure), ""
        return "", export_links(files)


def _chosen(request_id: str | None) -> str:
    """Raises: InvalidRequest when no request is chosen."""
    if not request_id:
        raise InvalidRequest("Choose a request first.", param="id")
    return request_id


def _read_files(paths: Sequence[str]) -> list[Upload]:
    """The uploaded files; a file's type goes by its name."""
    return [
        Upload(
            Path(path).name,
            mimetypes.guess_type(path)[0] or "application/octet-stream",
            Path(path).read_bytes(),
        )
        for path in paths
    ]
