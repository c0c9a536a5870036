"""Files of the page, read and packed once and then given from memory: a first visit asks for dozens of them."""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from workbench.core.errors import NotFound

_PACKED = frozenset({".js", ".css", ".svg", ".json"})
"""What gets smaller; fonts and pictures are packed already."""
_KEPT_BYTES = 1_000_000
"""Files beyond this size are read anew each time: they are charts and editors that few ever open."""

_FOR_GOOD, _A_DAY = "private, max-age=31536000, immutable", "private, max-age=86400"


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes | None
    kind: str


class PackedFiles:
    """Pure ASGI for a mount: the files of `folder`, and those `written` by name.

    The addresses of what is written change with its content, and so do the folder's where its names are `hashed`: a
    browser may keep such files for good, though not a cache that others share, where nobody logs in.
    Raises: NotFound, to the app it is mounted in.
    """

    def __init__(
        self, folder: Path, written: Mapping[str, bytes] = MappingProxyType({}), *, hashed: bool = False
    ) -> None:
        self._folder = folder.resolve()
        self._for_good = None if hashed else frozenset(written)
        self._kept = {name: _pack(name, content) for name, content in written.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the file."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            raise NotFound("There is no such page.")
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        file = await self._file(name)
        is_for_good = self._for_good is None or name in self._for_good
        headers = {"cache-control": _FOR_GOOD if is_for_good else _A_DAY, "vary": "accept-encoding"}
        content = file.plain
        if file.packed is not None and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            content, headers["content-encoding"] = file.packed, "gzip"
        await Response(content, headers=headers, media_type=file.kind)(scope, receive, send)

    async def _file(self, name: str) -> _File:
        """Raises: NotFound."""
        if (kept := self._kept.get(name)) is not None:
            return kept
        own_name, file = await asyncio.to_thread(self._read, name)
        if len(file.plain) <= _KEPT_BYTES:
            self._kept[own_name] = file
        return file

    def _read(self, name: str) -> tuple[str, _File]:
        """The file, and its one name of the many it can be asked for by: none of the others is kept.

        Raises: NotFound for what is no file of the folder.
        """
        path = (self._folder / name.replace("\0", "")).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise NotFound("There is no such page.")
        return path.relative_to(self._folder).as_posix(), _pack(path.name, path.read_bytes())


def _pack(name: str, content: bytes) -> _File:
    is_smaller = Path(name).suffix in _PACKED
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _File(content, gzip.compress(content, 6, mtime=0) if is_smaller else None, kind)
