"""Stand-ins for the commands of the documents that take minutes or change the machine.

Each checks its arguments against the project: a verb of the Makefile, an extra of pyproject.toml, an option of the
command line. `workbench` itself is run, but for the subcommands below.
"""

from __future__ import annotations

import io
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIMMED = ("make", "git", "pip", "docker", "workbench")
PLACEHOLDERS = {"ID", "NAME", "MODEL_A"}
"""Where a reader puts something of their own; such a command is only parsed."""
PASSWORD_TWICE = "a password for the documents\n" * 2
_ONLY_PARSED: set[tuple[str, ...]] = {
    ("serve",),
    ("try",),
    ("doctor",),
    ("harness",),
    ("questions",),
    ("export",),
    ("import",),
    ("models", "pull"),
    ("cluster", "up"),
}


def install(folder: Path) -> Path:
    """Puts the stand-ins into `folder`, to be first on PATH."""
    folder.mkdir(exist_ok=True)
    for command in SHIMMED:
        path = folder / command
        path.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.docs.shims {command} "$@"\n'
        )
        path.chmod(0o755)
    return folder


def check_make(arguments: list[str]) -> None:
    """Verbs must be the Makefile's."""
    verbs = re.findall(r"^([a-z-]+):$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    _refuse(sorted(set(arguments) - set(verbs)), "no verb of the Makefile")


def check_pip(arguments: list[str]) -> None:
    """Extras must be the project's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {
        extra
        for argument in arguments
        for group in re.findall(r"\[(.+)\]$", argument)
        for extra in group.split(",")
    }
    _refuse(sorted(asked - set(project["optional-dependencies"])), "no extra of pyproject.toml")


def check_docker(arguments: list[str]) -> None:
    """Files named after -f must exist, from the project's root."""
    named = [after for flag, after in pairwise(arguments) if flag == "-f"]
    _refuse([name for name in named if not (ROOT / name).is_file()], "no such file")


def run_workbench(arguments: list[str]) -> None:
    """Runs the command, or only reads its options where running it would take minutes."""
    import typer

    from workbench.cli import app, main

    parts = next((parts for parts in _ONLY_PARSED if tuple(arguments[: len(parts)]) == parts), None)
    if PLACEHOLDERS & set(arguments):
        parts = tuple(arguments[:2])
    if parts is None:
        sys.stdin = io.StringIO(PASSWORD_TWICE)
        main(arguments)
        return
    command = typer.main.get_command(app)
    for part in parts:
        command = command.commands[part]  # type: ignore[attr-defined]
    command.make_context(" ".join(parts), arguments[len(parts) :])


def _refuse(unknown: list[str], what: str) -> None:
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: {what}")


if __name__ == "__main__":
    _, named, *given = sys.argv
    {
        "make": check_make,
        "git": lambda _: None,
        "pip": check_pip,
        "docker": check_docker,
        "workbench": run_workbench,
    }[named](given)
