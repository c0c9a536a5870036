"""Requests for models: asked, supported by others, answered by an admin."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.core.errors import InvalidRequest, NotFound
from workbench.store.database import AnyRow, Database
from workbench.store.duplicates import Likeness, Wording, duplicates
from workbench.store.tables import model_request_notes as notes
from workbench.store.tables import model_request_supporters as supporters
from workbench.store.tables import model_requests as requests

LONGEST_FIELD = 10_000
"""Characters a field of a request may have."""


class Priority(StrEnum):
    """How much it matters to who asks."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class RequestState(StrEnum):
    """Where a request stands."""

    NEW = "new"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    AVAILABLE = "available"


def check_email(email: str) -> None:
    """Does nothing for what can be an e-mail address. Raises: InvalidRequest."""
    name, _, host = email.partition("@")
    if not name or "." not in host or any(letter.isspace() for letter in email):
        raise InvalidRequest("An e-mail address is needed, so that you can be answered.", param="email")


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What the form asks. Only e-mail, category and description must be filled in.

    `hub_id` is the model, where who asks knows which. `expected_concurrency` is in their words, such as "10 requests
    a minute with peaks of 50".
    """

    email: str
    category: str
    description: str
    priority: Priority = Priority.NORMAL
    hub_id: str = ""
    use_case: str = ""
    requirements: str = ""
    evaluation_criteria: str = ""
    current_limitations: str = ""
    expected_concurrency: str = ""
    future_plans: str = ""

    @property
    def wording(self) -> Wording:
        """What is compared with other requests."""
        return Wording(self.hub_id, f"{self.description} {self.use_case}")

    def check(self) -> None:
        """Does nothing for a form that can be sent.

        Raises: InvalidRequest naming the field.
        """
        check_email(self.email)
        for required in ("category", "description"):
            if not getattr(self, required).strip():
                raise InvalidRequest(f"The field {required!r} must be filled in.", param=required)
        bounds = {"email": 254, "category": 64, "hub_id": 255}
        for field in fields(self):
            bound = bounds.get(field.name, LONGEST_FIELD)
            if len(getattr(self, field.name)) > bound:
                raise InvalidRequest(f"At most {bound} characters, please.", param=field.name)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request as it stands; `supporters` counts the others who want it too."""

    id: str
    account: str
    form: RequestForm
    state: RequestState
    supporters: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """What an admin wrote to a request."""

    author: str
    text: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Supporter:
    """Somebody else who wants the model."""

    account: str
    email: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A request made before, and how like it is."""

    request: ModelRequest
    likeness: Likeness


_SUPPORT_COUNT = (
    select(func.count())
    .select_from(supporters)
    .where(supporters.c.request_id == requests.c.id)
    .scalar_subquery()
    .label("supporters")
)
_ALL = select(requests, _SUPPORT_COUNT)
_BY_ID = _ALL.where(requests.c.id == bindparam("id"))


def _request(row: AnyRow) -> ModelRequest:
    values = row._mapping
    form = {field.name: values[field.name] for field in fields(RequestForm)}
    return ModelRequest(
        id=values["id"],
        account=values["account"],
        form=RequestForm(**{**form, "priority": Priority(form["priority"])}),
        state=RequestState(values["state"]),
        supporters=values["supporters"],
        created_at=values["created_at"],
        changed_at=values["changed_at"],
    )


class ModelRequests:
    """The table of requests. `clock` gives the moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create(self, form: RequestForm, account: str) -> ModelRequest:
        """A new request.

        Raises: InvalidRequest naming the field that is missing, malformed or too long.
        """
        form.check()
        now, request_id = self._clock(), f"req_{secrets.token_hex(6)}"
        row = {
            **asdict(form),
            "priority": form.priority.value,
            "id": request_id,
            "account": account,
            "state": RequestState.NEW.value,
            "created_at": now,
            "changed_at": now,
        }
        await self._database.write(lambda connection: connection.execute(insert(requests).values(row)))
        return await self.get(request_id)

    async def get(self, request_id: str) -> ModelRequest:
        """One request.

        Raises: NotFound.
        """
        row = await self._database.lookup(_BY_ID, {"id": request_id})
        if row is None:
            raise NotFound("There is no request with this id.", param="id")
        return _request(row)

    async def list(
        self, *, state: RequestState | None = None, account: str | None = None
    ) -> Sequence[ModelRequest]:
        """Requests, newest first; of one state, or one account's own."""
        query = _ALL.order_by(requests.c.created_at.desc(), requests.c.id)
        if state is not None:
            query = query.where(requests.c.state == state.value)
        if account is not None:
            query = query.where(requests.c.account == account)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_request(row) for row in rows]

    async def duplicates(self, form: RequestForm) -> Sequence[Duplicate]:
        """Requests that ask for the same model or say nearly the same, whoever made them; the likest first."""
        known = {request.id: request for request in await self.list()}
        wordings = [(request_id, request.form.wording) for request_id, request in known.items()]
        found = await asyncio.to_thread(duplicates, form.wording, wordings)
        return [Duplicate(known[request_id], alike) for request_id, alike in found]

    async def support(self, request_id: str, account: str, email: str) -> ModelRequest:
        """Adds a name to a request. Twice is once, and who asked needs not support.

        Raises: NotFound; InvalidRequest for what is no e-mail address.
        """
        check_email(email)
        request = await self.get(request_id)
        row = {"request_id": request_id, "account": account, "email": email, "added_at": self._clock()}
        if account != request.account:
            try:
                await self._database.write(
                    lambda connection: connection.execute(insert(supporters).values(row))
                )
            except IntegrityError:
                return request  # supported already
        return await self.get(request_id)

    async def supporters(self, request_id: str) -> Sequence[Supporter]:
        """Who added their name, first come first."""
        query = select(supporters.c.account, supporters.c.email, supporters.c.added_at)
        query = query.where(supporters.c.request_id == request_id).order_by(supporters.c.added_at)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Supporter(**row._mapping) for row in rows]

    async def answer(
        self, request_id: str, state: RequestState, *, author: str, note: str = ""
    ) -> ModelRequest:
        """Another state for a request, with a note to whoever wants it.

        Raises: NotFound; InvalidRequest for a note that is too long.
        """
        if len(note) > LONGEST_FIELD:
            raise InvalidRequest(f"At most {LONGEST_FIELD} characters, please.", param="note")
        await self.get(request_id)
        now = self._clock()
        change = update(requests).where(requests.c.id == request_id).values(state=state.value, changed_at=now)
        row = {"request_id": request_id, "author": author, "text": note.strip(), "added_at": now}

        def work(connection: Connection) -> None:
            connection.execute(change)
            if note.strip():
                connection.execute(insert(notes).values(row))

        await self._database.write(work)
        return await self.get(request_id)

    async def notes(self, request_id: str) -> Sequence[Note]:
        """What was answered, in order."""
        query = select(notes.c.author, notes.c.text, notes.c.added_at)
        query = query.where(notes.c.request_id == request_id).order_by(notes.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Note(**row._mapping) for row in rows]
