"""Files that go with a request for a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import Connection, func, insert, select

from workbench.core.errors import InvalidRequest, NotFound, RequestTooLarge
from workbench.store.database import Database
from workbench.store.tables import model_request_attachments as attachments
from workbench.store.tables import model_requests

LARGEST_BYTES = 2 * 1024 * 1024
MOST_PER_REQUEST = 5


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file's description; its content is fetched apart."""

    id: int
    request_id: str
    name: str
    media_type: str
    size_bytes: int


class Attachments:
    """The table of attachments: small files, kept in the database so that they live and go with their request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, request_id: str, name: str, media_type: str, content: bytes) -> Attachment:
        """Keeps a file with a request. Of the name, only its last part is kept.

        Raises: NotFound; RequestTooLarge for a file over 2 MiB; InvalidRequest for a name that is none, or one file
            too many.
        """
        plain_name = PurePosixPath(name.replace("\\", "/")).name
        if plain_name in ("", ".", "..") or len(plain_name) > 255 or len(media_type) > 100:
            raise InvalidRequest("The file's name or type cannot be kept.", param="attachments")
        if len(content) > LARGEST_BYTES:
            raise RequestTooLarge(f"A file may have at most {LARGEST_BYTES} bytes.", param="attachments")
        keep = insert(attachments).returning(attachments.c.id)
        keep = keep.values(
            request_id=request_id,
            name=plain_name,
            media_type=media_type,
            size_bytes=len(content),
            content=content,
        )

        def work(connection: Connection) -> int:
            request = select(model_requests.c.id).where(model_requests.c.id == request_id).with_for_update()
            if connection.execute(request).first() is None:
                raise NotFound("There is no request with this id.", param="id")
            kept = select(func.count()).select_from(attachments).where(attachments.c.request_id == request_id)
            if connection.execute(kept).scalar_one() >= MOST_PER_REQUEST:
                raise InvalidRequest(f"A request has at most {MOST_PER_REQUEST} files.", param="attachments")
            return int(connection.execute(keep).scalar_one())

        made = await self._database.write(work)
        return Attachment(made, request_id, plain_name, media_type, len(content))

    async def list(self, request_id: str) -> Sequence[Attachment]:
        """A request's files, in the order they came."""
        columns = [column for column in attachments.columns if column.name != "content"]
        query = select(*columns).where(attachments.c.request_id == request_id).order_by(attachments.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Attachment(**row._mapping) for row in rows]

    async def content(self, attachment_id: int) -> bytes:
        """A file's bytes.

        Raises: NotFound.
        """
        query = select(attachments.c.content).where(attachments.c.id == attachment_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound("There is no attachment with this id.", param="id")
        return bytes(row.content)
