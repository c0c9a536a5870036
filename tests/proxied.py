"""The whole server behind nginx: TLS there, a path prefix, accounts."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.nginx import free_port, nginx
from tests.processes import SLOWLY, WITH_PAGE, serving, value

PREFIX = "/lab"
PASSWORD = "a password of the first admin"
MODEL = "scripted/model"
AT_EASE = SLOWLY.replace("0.02", "0.25")
"""Four words a second leave a busy browser time for what is clicked."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """`url` is what people see, without a slash at its end; `inner` where the server itself listens."""

    url: str
    inner: str
    key: str = field(repr=False)
    certificate: Path

    def client(self) -> httpx.Client:
        """A browser or a program on the other side of the proxy."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(verify=trust, timeout=60)

    def log_in(self, client: httpx.Client) -> httpx.Response:
        """The answer to the form; the client has a session from then on."""
        form = {"name": "admin", "password": PASSWORD}
        return client.post(f"{self.url}/login", data=form)


@contextmanager
def serve_proxied(home: Path, folder: Path) -> Iterator[Proxied]:
    """A server with its store in `home` and nginx's files in `folder`. Raises: NoNginx."""
    inner, port = free_port(), free_port()
    url = f"https://127.0.0.1:{port}{PREFIX}"
    settings = {
        "WORKBENCH_ADMIN_PASSWORD": PASSWORD,
        "WORKBENCH_ROOT_PATH": PREFIX,
        "WORKBENCH_PUBLIC_URL": url,
        "WORKBENCH_TRUSTED_PROXIES": "127.0.0.1",
    }
    with (
        nginx(folder, inner, PREFIX, port) as certificate,
        serving(home, AT_EASE + WITH_PAGE, port=inner, **settings) as server,
    ):
        lines = server.lines()
        assert value(lines, "Workbench") == url
        yield Proxied(url, f"http://127.0.0.1:{inner}", value(lines, "API key"), certificate)
