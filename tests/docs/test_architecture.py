"""The map is of this land: what it names exists, and nothing of the first order is missing from it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
SOURCES = ("workbench", "guard", "evaluators", "snippets")


def test_every_file_and_folder_that_is_named_exists() -> None:
    files = {path.name for source in SOURCES for path in (ROOT / source).rglob("*.py")} | {"app.py"}
    named = re.findall(r"`([\w/]+\.py)`", MAP)
    assert len(named) > 40
    assert [name for name in named if not ((ROOT / name).is_file() or name in files)] == []
    folders = re.findall(r"`(workbench/\w+)`", MAP)
    assert folders
    assert [name for name in folders if not (ROOT / name).is_dir()] == []


def test_every_package_is_named() -> None:
    packages = [
        path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "workbench").glob("*/__init__.py")
    ]
    assert [name for name in packages if f"`{name}`" not in MAP and f"{name}/" not in MAP] == []
    parts = [path.parent.name for path in (ROOT / "workbench/experiments").glob("*/__init__.py")]
    assert [name for name in parts if f"`{name}`" not in MAP] == []


def test_every_module_beside_the_packages_is_named() -> None:
    modules = [path.name for path in (ROOT / "workbench").glob("[a-z]*.py")]
    assert [name for name in modules if name not in MAP] == []
