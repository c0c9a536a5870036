"""The server: one process, one socket, one uvicorn, from the first line on the terminal to the last answer."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from workbench.backends.added import open_catalogue
from workbench.backends.catalogue import Catalogue
from workbench.core.access import AccountRole
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.core.settings import Settings
from workbench.logs import configure_logs, log_loop_error

if TYPE_CHECKING:
    from workbench.service import Workbench
    from workbench.store import Store

KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep a connection, and than a client waits that was told when to come back: closed at the moment
of its next request, the connection would take that request with it."""
LAST_WORDS_SECONDS = 2
"""How long streams may take to say that the server stops, once WORKBENCH_SHUTDOWN_GRACE is over."""
FIRST_ADMIN = "admin"
"""The account that WORKBENCH_ADMIN_PASSWORD makes when a server starts without any admin."""
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Transport:
    """How the server is reached: TLS files, and whether plain HTTP is meant where others can listen."""

    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    is_plain_meant: bool = False


def serve(settings: Settings, models: tuple[str, ...] = (), transport: Transport | None = None) -> NoReturn:
    """Runs the server until it is told to stop, then ends the process.

    Raises: ConfigurationError, before anything slow is done, for what the operator must change.
    """
    transport = transport or Transport()
    configure_logs(settings.log_level)
    if not _is_loopback(settings.host):
        asyncio.run(_check_exposure(settings, transport))
    catalogue = open_catalogue(settings).with_models(models)
    listener = open_listener(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    # Until the server answers, and takes its signals itself: as an exception, so that the store is closed.
    signal.signal(signal.SIGTERM, _stop)
    _run_to_the_end(_run(settings, catalogue, listener, transport))


def _stop(signal_number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


def _run_to_the_end(work: Coroutine[None, None, None]) -> NoReturn:
    """Runs `work`, then ends the process with what it says."""
    runner = asyncio.Runner()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            runner.run(work)
        code = 0
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    except BaseException:
        runner.close()
        raise
    sys.stdout.flush()
    sys.stderr.flush()
    # All is closed. Python would still wait for the thread of a model that is loading, which nothing can interrupt;
    # its weights are put in place whole or not at all.
    os._exit(code)


async def _run(
    settings: Settings, catalogue: Catalogue, listener: socket.socket, transport: Transport
) -> None:
    # Imported once the socket is open and the settings are known to be right: this takes seconds.
    from workbench import site
    from workbench.store import FILE_NAME, Store

    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    async with await Store.open(settings.database_url or settings.home / FILE_NAME) as store:
        await store.experiments.mark_interrupted()
        await _make_first_admin(settings, store)
        accounts = store.accounts if await store.accounts.has_admin() else None
        workbench = site.make_workbench(settings, catalogue, store)
        config = uvicorn.Config(
            site.build_app(workbench, store.keys, page=site.gradio_page, accounts=accounts),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            root_path=settings.root_path,
            ssl_certfile=transport.ssl_certfile,
            ssl_keyfile=transport.ssl_keyfile,
            timeout_graceful_shutdown=LAST_WORDS_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        server = _Server(config, store, workbench, _url(settings, transport))
        await server.serve([listener])
        if not server.has_answered:
            raise SystemExit(1)


class _Server(uvicorn.Server):
    """Says where it is as soon as it answers, and on a store without keys makes the first one.

    The first SIGTERM or SIGINT lets nobody in any more, and what runs has WORKBENCH_SHUTDOWN_GRACE seconds to end:
    until then new calls hear 503 rather than a closed port. The second ends everything at once.
    """

    def __init__(self, config: uvicorn.Config, store: Store, workbench: Workbench, url: str) -> None:
        super().__init__(config)
        self._store = store
        self._workbench = workbench
        self._url = url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self._signals = 0
        self.has_answered = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal, in the main thread between any two instructions."""
        self._signals += 1
        if self._signals > 1 or self._loop is None:
            self.should_exit = True
            self.force_exit = self._signals > 1
            return
        self._loop.call_soon_threadsafe(self._begin_to_drain)

    def _begin_to_drain(self) -> None:
        self._draining = asyncio.create_task(self._drain(), name="drain")

    async def _drain(self) -> None:
        self._workbench.stop_admitting()
        await self._workbench.drained(self._workbench.settings.shutdown_grace)
        self._workbench.end_streams()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer, then writes URL and key on standard output."""
        await super().startup(sockets)
        self.has_answered = self.started
        if not self.started:
            return
        self._loop = asyncio.get_running_loop()
        lines = [f"Workbench: {self._url}", f"API:       {self._url}/openai/v1"]
        if await self._store.keys.is_empty():
            key = await self._store.keys.create(name="first key", account=await self._first_owner())
            lines += [
                f"API key:   {key.secret}",
                "The key is shown this once. Lost? `workbench keys rotate " + key.id + "`",
            ]
        else:
            lines.append(
                "API keys:  `workbench keys list` shows them, `workbench keys create --name NAME` makes one"
            )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    async def _first_owner(self) -> str:
        """Whose the first key is: the first admin's, or the local user's where there are no accounts."""
        admins = [account for account in await self._store.accounts.list() if account.is_admin]
        oldest = min(admins, key=lambda account: account.created_at, default=None)
        return LOCAL_USER.account if oldest is None else oldest.name


async def _make_first_admin(settings: Settings, store: Store) -> None:
    """Makes the admin whose password the environment holds, if there is no admin yet.

    Raises: ConfigurationError for a password that cannot be one.
    """
    password = settings.read_admin_password()
    if password is None or await store.accounts.has_admin():
        return
    try:
        await store.accounts.create(FIRST_ADMIN, password, AccountRole.ADMIN)
    except InvalidRequest as refusal:
        raise ConfigurationError(f"WORKBENCH_ADMIN_PASSWORD: {refusal.message}") from refusal


async def _check_exposure(settings: Settings, transport: Transport) -> None:
    """Raises: ConfigurationError for an address others can reach, without an admin or without TLS."""
    from workbench.store import FILE_NAME, Store

    async with await Store.open(settings.database_url or settings.home / FILE_NAME) as store:
        await _make_first_admin(settings, store)
        if not await store.accounts.has_admin():
            raise ConfigurationError(
                f"Others can reach {settings.host}, and this server has no accounts yet: it would be open to all. "
                "Make the first admin with `workbench users create NAME --admin`, or serve on 127.0.0.1."
            )
    if transport.ssl_certfile is None and not transport.is_plain_meant:
        raise ConfigurationError(
            f"Others can reach {settings.host}, and plain HTTP shows passwords and keys to whoever listens. Give "
            "--ssl-certfile and --ssl-keyfile, or serve on 127.0.0.1 behind a proxy that has them; --insecure "
            "serves plain HTTP all the same."
        )


def _url(settings: Settings, transport: Transport) -> str:
    """The server's address for people, with the scheme it speaks."""
    url = settings.base_url
    is_tls = transport.ssl_certfile is not None and not settings.public_url
    return f"https://{url.removeprefix('http://')}" if is_tls else url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def open_listener(settings: Settings) -> socket.socket:
    """A listening socket. Raises: ConfigurationError when the port is taken or the address is not ours."""
    address = f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer waits 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as failure:
        raise ConfigurationError(
            f"Cannot listen on {address}: {failure.strerror}. "
            f"Stop what listens there, or choose another port with --port or WORKBENCH_PORT."
        ) from failure
    # From here on connections wait rather than fail, while the slow imports are made.
    listener.listen(_BACKLOG)
    return listener
