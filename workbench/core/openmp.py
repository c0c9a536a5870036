"""OpenMP's threads: those that nobody needs slow down those that work.

Each thread that computes in parallel keeps workers of its own until it ends. libgomp counts the threads of all of them,
and where they are more than the processors its threads go to sleep as soon as they wait: each of the hundreds of
operations of a step then wakes them anew, and a step takes twice as long, whether the others have work or not.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

_SOFT = 1
"""omp_pause_soft of OpenMP 5.0: what is given up comes back by itself when it is needed."""


def release_workers() -> None:
    """Ends the workers of the calling thread; its next parallel operation starts new ones, in some 0.1 ms.

    To be called where a thread has computed and will not for a while. Does nothing where OpenMP is another library than
    libgomp, or none is loaded.
    """
    for library in _loaded():
        library.omp_pause_resource_all(_SOFT)


def _loaded() -> tuple[ctypes.CDLL, ...]:
    found = _libraries()
    if not found:  # it comes with torch, which may be imported later
        _libraries.cache_clear()
    return found


@functools.cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    """Every libgomp in this process: a package may bring its own."""
    try:
        mapped = Path("/proc/self/maps").read_text("utf-8").splitlines()
    except OSError:
        return ()
    paths = {line.split(maxsplit=5)[-1] for line in mapped if "libgomp" in line}
    libraries = [ctypes.CDLL(path) for path in sorted(paths)]
    return tuple(library for library in libraries if hasattr(library, "omp_pause_resource_all"))
