"""What an account may see and do about requests for models.

Everybody sees which model was asked for, why in one description, by how many, and what was answered; the rest of a
request is for who made it and for admins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.core.backend import ModelCard, ModelState
from workbench.core.caller import Caller
from workbench.core.errors import Forbidden, InvalidRequest, RequestTooLarge
from workbench.feasibility import Feasibility
from workbench.model_desk import ModelDesk, ModelWish, hub_id_of
from workbench.service import Workbench
from workbench.store import Duplicate, ModelRequest, RequestForm, RequestState, Store
from workbench.store.attachments import LARGEST_BYTES, MOST_PER_REQUEST, Attachment
from workbench.store.duplicates import plain_hub_id
from workbench.store.model_requests import Note, Supporter

MOST_OPEN = 50
"""Requests of one account that may wait for an answer."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with a request."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """A request with what was said to it. `is_whole`: the caller may see all of it, and its files."""

    request: ModelRequest
    notes: Sequence[Note]
    supporters: Sequence[Supporter]
    attachments: Sequence[Attachment]
    is_whole: bool


class RequestDesk:
    """The rules over the store and the catalogue."""

    def __init__(self, workbench: Workbench, models: ModelDesk) -> None:
        self._workbench = workbench
        self._models = models
        self._watching: set[asyncio.Task[None]] = set()

    @property
    def _store(self) -> Store:
        return self._workbench.store

    async def create(self, caller: Caller, form: RequestForm, files: Sequence[Upload] = ()) -> ModelRequest:
        """A new request with its files.

        Raises: InvalidRequest naming the field at fault, or when too many requests wait; RequestTooLarge for a file.
        """
        requests = self._store.model_requests
        waiting = await requests.list(state=RequestState.NEW, account=caller.account)
        if len(waiting) >= MOST_OPEN:
            raise InvalidRequest(
                f"{MOST_OPEN} of your requests wait for an answer. Let them be answered first."
            )
        _check_files(files)
        made = await requests.create(form, caller.account)
        for file in files:
            await self._store.attachments.add(made.id, file.name, file.media_type, file.content)
        return made

    async def duplicates(self, caller: Caller, form: RequestForm) -> Sequence[Duplicate]:
        """Requests that ask for the same, whoever made them, the likest first. An unfinished form will do."""
        found = await self._store.model_requests.duplicates(form)
        return [replace(twin, request=_as_seen(twin.request, caller)) for twin in found]

    def already_here(self, caller: Caller, hub_id: str) -> str | None:
        """The id of a model of the catalogue that is the one asked for; None when there is none."""
        wanted = plain_hub_id(hub_id)
        cards = [status.card for status in self._workbench.models(caller)]
        here = (card.id for card in cards if wanted in (card.id.lower(), card.source.lower()))
        return next(here, None) if wanted else None

    async def feasibility(self, hub_id: str) -> Feasibility:
        """What stands for and against the model on this machine. Only a hub is asked, never a path of this machine.

        Raises: InvalidRequest for what is no hub id; WeightsError; HubUnreachable.
        """
        source = hub_id_of(hub_id)
        return await self._models.feasibility(ModelCard(id=source, source=source))

    async def support(self, caller: Caller, request_id: str, email: str) -> ModelRequest:
        """Adds the caller's name to a request. Raises: NotFound; InvalidRequest without an e-mail address."""
        found = await self._store.model_requests.support(request_id, caller.account, email)
        return _as_seen(found, caller)

    async def list(
        self, caller: Caller, *, state: RequestState | None = None, is_own: bool = False
    ) -> Sequence[ModelRequest]:
        """Requests, newest first: of one state, or the caller's own."""
        account = caller.account if is_own else None
        found = await self._store.model_requests.list(state=state, account=account)
        return [_as_seen(request, caller) for request in found]

    async def details(self, caller: Caller, request_id: str) -> RequestDetails:
        """A request with its notes; with supporters and files for who may see all of it. Raises: NotFound."""
        store = self._store
        request = await store.model_requests.get(request_id)
        is_whole = _may_see_all(request, caller)
        return RequestDetails(
            _as_seen(request, caller),
            await store.model_requests.notes(request_id),
            await store.model_requests.supporters(request_id) if caller.is_admin else (),
            await store.attachments.list(request_id) if is_whole else (),
            is_whole,
        )

    async def content(self, caller: Caller, request_id: str, attachment_id: int) -> bytes:
        """A file of a request. Raises: NotFound; Forbidden for a request of somebody else."""
        request = await self._store.model_requests.get(request_id)
        files = await self._store.attachments.list(request_id)
        if not _may_see_all(request, caller) or attachment_id not in {file.id for file in files}:
            raise Forbidden("This file belongs to somebody else's request.")
        return await self._store.attachments.content(attachment_id)

    async def answer(
        self, caller: Caller, request_id: str, state: RequestState, note: str = ""
    ) -> ModelRequest:
        """Another state, with a note to whoever wants the model. Raises: Forbidden; NotFound; InvalidRequest."""
        _require_admin(caller)
        answered = await self._store.model_requests.answer(
            request_id, state, author=caller.account, note=note
        )
        await self._store.admin_log.add(caller.account, f"request.{state.value}", request_id)
        return answered

    async def accept(self, caller: Caller, request_id: str) -> ModelRequest:
        """Accepts a request and adds its model to the catalogue; once it has loaded, the request is available.

        Raises: Forbidden; NotFound; InvalidRequest for a request without a hub id; and as `ModelDesk.add`.
        """
        _require_admin(caller)
        request = await self._store.model_requests.get(request_id)
        if not request.form.hub_id.strip():
            raise InvalidRequest(
                "This request names no hub id. Add a model on the Models page, then set the state here.",
                param="hub_id",
            )
        here = self.already_here(caller, request.form.hub_id)
        model = here or (await self._models.add(caller, ModelWish(hub_id_of(request.form.hub_id)))).id
        answered = await self.answer(
            caller, request_id, RequestState.ACCEPTED, f"{model} is in the catalogue and is being loaded."
        )
        task = asyncio.create_task(
            self._tell_when_loaded(caller, request_id, model), name=f"announce {model}"
        )
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return answered

    async def _tell_when_loaded(self, caller: Caller, request_id: str, model: str) -> None:
        await self._workbench.warm(model, caller)
        status = self._workbench.model(model, caller)
        if status.state is ModelState.READY:
            await self.answer(caller, request_id, RequestState.AVAILABLE, f"{model} answers now.")
        else:
            reason = status.error or "The server's log has the reason."
            await self.answer(
                caller, request_id, RequestState.ACCEPTED, f"{model} could not be loaded: {reason}"
            )

    async def export(self, caller: Caller, write: Callable[[Sequence[RequestDetails]], str]) -> str:
        """Every request as `write` writes them. Raises: Forbidden."""
        _require_admin(caller)
        requests = await self._store.model_requests.list()
        return write([await self.details(caller, request.id) for request in requests])


def _check_files(files: Sequence[Upload]) -> None:
    """Raises: InvalidRequest for too many, RequestTooLarge for one: before a request is made without its files."""
    if len(files) > MOST_PER_REQUEST:
        raise InvalidRequest(f"A request has at most {MOST_PER_REQUEST} files.", param="attachments")
    if any(len(file.content) > LARGEST_BYTES for file in files):
        raise RequestTooLarge(f"A file may have at most {LARGEST_BYTES // 2**20} MiB.", param="attachments")


def _may_see_all(request: ModelRequest, caller: Caller) -> bool:
    return caller.is_admin or request.account == caller.account


def _as_seen(request: ModelRequest, caller: Caller) -> ModelRequest:
    """The request without what is not the caller's to see."""
    if _may_see_all(request, caller):
        return request
    form = request.form
    public = RequestForm(
        email="",
        category=form.category,
        description=form.description,
        priority=form.priority,
        hub_id=form.hub_id,
    )
    return replace(request, account="", form=public)


def _require_admin(caller: Caller) -> None:
    """Raises: Forbidden."""
    if not caller.is_admin:
        raise Forbidden("Only an admin of this server answers requests.")
