from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.reference.pages import PAGES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


def stale(folder: Path = FOLDER) -> list[str]:
    """One line for each page that differs from the code, is missing, or that nothing writes."""
    expected = {f"{name}.md": page() for name, page in PAGES.items()}
    found = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return [
        *(f"differs or is missing: {name}" for name, text in expected.items() if found.get(name) != text),
        *(f"nothing writes it: {name}" for name in sorted(found.keys() - expected.keys())),
    ]


def write(folder: Path = FOLDER) -> None:
    """Makes the folder's pages what the code says."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        path.unlink()
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


def main() -> int:
    """Writes or checks; the exit code is 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m scripts.reference")
    parser.add_argument("--check", action="store_true", help="compare and change nothing")
    if not parser.parse_args().check:
        write()
        return 0
    lines = stale()
    if lines:
        sys.stderr.write("\n".join([*lines, "Run `python -m scripts.reference` and review the diff.", ""]))
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
