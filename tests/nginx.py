"""nginx as a reverse proxy of the tests' own: TLS on loopback, in a temporary folder, gone afterwards."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS = 30.0
_UNPACKED = Path(sys.prefix, "nginx", "usr", "sbin", "nginx")
_HOW = "nginx is not here. Install Debian's `nginx`, or unpack it: `apt-get download nginx`, `dpkg-deb -x`."

# Buffering is nginx's default: what has to come as it is made must say so itself.
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 16m;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        location {prefix}/ {{
            proxy_pass http://127.0.0.1:{inner_port}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


class NoNginx(Exception):
    """It cannot be had on this machine; the message says why."""


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has signed, and its key. Raises: NoNginx without OpenSSL."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    program = shutil.which("openssl")
    if program is None:
        raise NoNginx("OpenSSL's command is not here: nothing makes a certificate.")
    command = [
        program,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def nginx(folder: Path, inner_port: int, prefix: str, port: int) -> Iterator[Path]:
    """Serves https://127.0.0.1:port/prefix/ from http://127.0.0.1:inner_port/; gives the certificate to trust.

    Raises: NoNginx.
    """
    program = shutil.which("nginx") or (str(_UNPACKED) if _UNPACKED.exists() else None)
    if program is None:
        raise NoNginx(_HOW)
    certificate, _ = make_certificate(folder)
    text = _CONFIGURATION.format(folder=folder, port=port, inner_port=inner_port, prefix=prefix)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-p", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoNginx(f"nginx did not start: {(folder / 'error.log').read_text()[-400:]}")
            time.sleep(0.05)
        yield certificate
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
