from __future__ import annotations

from pathlib import Path

import pytest

from workbench.engine import memory


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a container's limits, empty."""
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    return tmp_path


def test_a_container_has_what_its_limit_leaves_and_its_cached_files_count_as_free(container: Path) -> None:
    (container / "memory.max").write_text("4096\n")
    (container / "memory.current").write_text("3072\n")
    assert memory.free_bytes("cpu") == 1024
    (container / "memory.stat").write_text("anon 2048\ninactive_file 512\nactive_file 512\n")
    assert memory.free_bytes("cpu") == 1536


def test_a_container_without_a_limit_has_what_the_machine_has(container: Path) -> None:
    (container / "memory.max").write_text("max\n")
    (container / "memory.current").write_text("1024\n")
    assert memory.free_bytes("cpu") > 1 << 20


def test_the_cache_may_take_what_the_operator_set(container: Path) -> None:
    assert memory.kv_budget("cpu", 12345) == 12345
