"""How much memory is free: on the accelerator, or in this machine or container."""

from __future__ import annotations

from pathlib import Path

KV_SHARE = 0.4
"""Share of the free memory that one model's key-value cache may grow into."""

_CGROUP = Path("/sys/fs/cgroup")


def free_bytes(device_type: str) -> int:
    """Free memory in bytes of `cuda` (all devices together) or of the host, container limits respected."""
    if device_type == "cuda":
        import torch

        return sum(torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count()))
    import psutil

    available = int(psutil.virtual_memory().available)
    limit, used = _cgroup_bytes("memory.max"), _cgroup_bytes("memory.current")
    if limit is None or used is None:
        return available
    return min(available, limit - used + _cgroup_cache_bytes())


def _cgroup_bytes(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cgroup_cache_bytes() -> int:
    """Cached files that the container counts as used and gives up when a program asks."""
    try:
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    stat = dict(line.split(" ", 1) for line in lines)
    return int(stat.get("inactive_file", 0))


def kv_budget(device_type: str, configured: int | None) -> int:
    """Bytes one model's key-value cache may take: what the operator set, or a share of what is free now."""
    return configured if configured is not None else int(free_bytes(device_type) * KV_SHARE)


def free_for_models() -> int:
    """Free memory where models go: the accelerator's when there is one, else the host's."""
    import torch

    return free_bytes("cuda" if torch.cuda.is_available() else "cpu")
