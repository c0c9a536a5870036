"""What a folder of converted weights holds, and whether it still does.

`manifest.json` is written last and has the size, time of change and SHA-256 of every other file, so a folder
with a manifest was complete once, and one whose files still match it is complete now.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.engine.wheel import sha256_of

MANIFEST = "manifest.json"
FORMAT = 1
"""Raise it when the conversion changes what it writes: older folders are then made again."""


class FileRecord(BaseModel):
    """What one file was when it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    mtime_ns: int
    sha256: str


class Manifest(BaseModel):
    """`source` identifies the GGUF that `files` were made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    source: str
    files: dict[str, FileRecord]


def find_fault(folder: Path, source: str) -> str | None:
    """Why `folder` cannot be used as the conversion of `source`; None when it is whole.

    Sizes and the safetensors headers are checked every time; a file whose time of change differs from the
    manifest is hashed in full, and its new time is noted when the hash is right.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError:
        return "not converted yet"
    except ValidationError:
        return f"{MANIFEST} is damaged"
    if manifest.format != FORMAT or manifest.source != source:
        return "converted from another file or by another version"
    checked: dict[str, FileRecord] = {}
    for name, record in manifest.files.items():
        try:
            checked[name] = _check(folder / name, record)
        except (OSError, ValueError) as exc:
            return f"{name} is damaged ({exc})"
    if checked != manifest.files:
        _note(folder, manifest.model_copy(update={"files": checked}))
    return None


def write_manifest(folder: Path, source: str) -> None:
    """Flushes every file of `folder` to the disk, then writes what they are. Raises: OSError."""
    records: dict[str, FileRecord] = {}
    for path in sorted(folder.iterdir()):
        flush(path)
        stat = path.stat()
        records[path.name] = FileRecord(size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256_of(path))
    manifest = Manifest(format=FORMAT, source=source, files=records)
    path = folder / MANIFEST
    path.write_text(manifest.model_dump_json(indent=2), "utf-8")
    flush(path)
    flush(folder)


def flush(path: Path) -> None:
    """Makes what was written to a file or folder survive a power cut. Raises: OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, record: FileRecord) -> FileRecord:
    """The record with the file's present time. Raises: OSError, ValueError."""
    stat = path.stat()
    if stat.st_size != record.size:
        raise ValueError(f"{stat.st_size} bytes instead of {record.size}")
    if stat.st_mtime_ns != record.mtime_ns and sha256_of(path) != record.sha256:
        raise ValueError("its content has changed")
    if path.suffix == ".safetensors":
        _check_safetensors_header(path)
    return record.model_copy(update={"mtime_ns": stat.st_mtime_ns})


def _check_safetensors_header(path: Path) -> None:
    """Raises: ValueError when the header is no JSON or the tensors do not end where the file does.

    Layout: 8 bytes little-endian header length, JSON header with `data_offsets`, tensors.
    """
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 0 < length <= path.stat().st_size - 8:
            raise ValueError("no safetensors header")
        header: dict[str, Any] = json.loads(file.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    if 8 + length + max(ends, default=0) != path.stat().st_size:
        raise ValueError("tensors are missing")


def _note(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest whole or not at all: a read-only folder keeps its old one and is hashed again."""
    temporary = folder / f".{MANIFEST}.{os.getpid()}"
    try:
        temporary.write_text(manifest.model_dump_json(indent=2), "utf-8")
        temporary.replace(folder / MANIFEST)
    except OSError:
        temporary.unlink(missing_ok=True)
