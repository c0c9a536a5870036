"""Room on the disk: asked for before a large write, and a full disk reported in one sentence."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.errors import WeightsError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RUST_FULL = tuple(f"os error {code}" for code in sorted(_FULL))


def require_room(folder: Path, needed_bytes: int) -> None:
    """Makes `folder` and checks that its disk has `needed_bytes` free.

    Raises:
        WeightsError: too little room, or the folder cannot be made; names the folder, the bytes and the cure.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as exc:
        raise _unwritable(folder, exc) from exc
    if free_bytes < needed_bytes:
        raise _full(folder, needed_bytes)


@contextmanager
def explained_writes(folder: Path, needed_bytes: int) -> Iterator[None]:
    """Turns what writing under `folder` can raise into a WeightsError that names the cure.

    safetensors writes from Rust and reports a full disk as its own error with the system's number in its
    text.
    """
    from safetensors import SafetensorError

    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise _full(folder, needed_bytes) from exc
        raise _unwritable(folder, exc) from exc
    except SafetensorError as exc:
        if any(number in str(exc) for number in _RUST_FULL):
            raise _full(folder, needed_bytes) from exc
        raise WeightsError(f"Writing weights to {folder} failed: {exc}") from exc


def _full(folder: Path, needed_bytes: int) -> WeightsError:
    return WeightsError(
        f"Not enough room in {folder}: {needed_bytes} bytes ({needed_bytes / 1e9:.2f} GB) are needed. "
        "Free that much, or set WORKBENCH_HOME to a folder on a larger disk."
    )


def _unwritable(folder: Path, exc: OSError) -> WeightsError:
    return WeightsError(
        f"Cannot write to {folder}: {exc.strerror or exc}. "
        "Make it writable, or set WORKBENCH_HOME to a folder that is."
    )
