"""The machine an experiment ran on, and who else used it meanwhile."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

import workbench

_LIBRARIES = ("torch", "transformers", "bitsandbytes", "tokenizers", "numpy", "pandas")
_KEPT_SHARE = 1.0


def describe_machine() -> dict[str, object]:
    """Processor, memory, accelerator and system, in words and numbers; nothing that names the machine's owner."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "accelerator": _accelerator(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_versions() -> dict[str, str]:
    """The versions of Workbench, Python and the libraries that decide results."""
    found = {"workbench": workbench.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _accelerator() -> str:
    # Asked of torch only where a model has loaded it already.
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"


class CpuWatch:
    """Measures, from its making on, the share of the processors that other programs use."""

    def __init__(self) -> None:
        self._own = _own_seconds()
        self._busy, self._total = _machine_seconds()

    def others_share(self) -> float:
        """0 to 1."""
        busy, total = _machine_seconds()
        others = (busy - self._busy) - (_own_seconds() - self._own)
        return min(max(others / max(total - self._total, 1e-9), 0.0), _KEPT_SHARE)


def _own_seconds() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def _machine_seconds() -> tuple[float, float]:
    times = psutil.cpu_times()
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(total - idle), float(total)
