"""Runs Python programs one after the other, each in a process of its own that finds the client libraries imported.

Reads one JSON object a line, {"path", "environment", "stdout", "stderr"}, and answers each with the exit code.
Importing the libraries takes longer than most programs here; a fork pays for it once.
"""

from __future__ import annotations

import json
import os
import runpy
import sys

import httpx
import openai


def _run(path: str, environment: dict[str, str], stdout: str, stderr: str) -> int:
    """The exit code of the program at `path`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, stdout), (2, stderr)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = 0
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as stop:
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - a program's failure is its exit code and its traceback, as with `python`
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    with httpx.Client(), openai.OpenAI(api_key="unused") as client:
        client.chat.completions, client.completions, client.moderations  # noqa: B018 - loaded on first use
    for line in sys.stdin:
        order = json.loads(line)
        answer = _run(order["path"], order["environment"], order["stdout"], order["stderr"])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
