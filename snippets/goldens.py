"""The golden files: the code of every example in every language, kept as files that a reviewer reads as a diff.

`python -m snippets.goldens` writes them, `python -m snippets.goldens --check` fails when one differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snippets.examples import EXAMPLES
from snippets.languages import LANGUAGES
from snippets.render import render

GOLDENS = Path(__file__).resolve().parent.parent / "tests" / "goldens" / "snippets"


class Golden(NamedTuple):
    """One golden file and the code it should hold."""

    path: Path
    code: str


def goldens(root: Path = GOLDENS) -> Iterator[Golden]:
    """Every golden file below `root`: `<example>/<language>/<client>.<suffix>`."""
    for name, request in EXAMPLES.items():
        for language in LANGUAGES.values():
            for client in language.clients:
                path = root / name / language.name / f"{client.name}.{language.suffix}"
                yield Golden(path, render(request, language.name, client.name).code)


def differences(root: Path = GOLDENS) -> list[str]:
    """One line for each file that is missing, differs, or belongs to no example."""
    expected = {golden.path: golden.code for golden in goldens(root)}
    found = {path for path in root.rglob("*") if path.is_file()}
    lines = [f"missing: {path.relative_to(root)}" for path in expected.keys() - found]
    lines += [f"belongs to no example: {path.relative_to(root)}" for path in found - expected.keys()]
    lines += [
        f"differs: {path.relative_to(root)}"
        for path in expected.keys() & found
        if path.read_bytes().decode() != expected[path]
    ]
    return sorted(lines)


def write(root: Path = GOLDENS) -> None:
    """Makes the files below `root` what the examples render to, and removes all others there."""
    expected = {golden.path: golden.code for golden in goldens(root)}
    for path in root.rglob("*"):
        if path.is_file() and path not in expected:
            path.unlink()
    for path, code in expected.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code.encode())


def main(arguments: list[str] | None = None) -> int:
    """Writes or checks; the exit code is 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m snippets.goldens", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and change nothing")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    lines = differences()
    if lines:
        sys.stderr.write("\n".join([*lines, "Run `python -m snippets.goldens` and review the diff.", ""]))
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
