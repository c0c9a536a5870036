"""The server put together: settings, service, store, API, page and door, run by uvicorn in one process."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import uvicorn
from fastapi import FastAPI

from workbench.api.access import Access, AccessRules, KeyRing
from workbench.api.app import create_api
from workbench.api.body_limit import BodyLimit
from workbench.api.envelope import Envelope
from workbench.api.errors import add_error_handlers
from workbench.api.hosts import HostRules
from workbench.api.routes import health
from workbench.api.session import Sessions
from workbench.backends.catalogue import Catalogue, read_catalogue
from workbench.backends.pool import MemoryPlan, Pool
from workbench.core.backend import Backend, ModelCard, Progress
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import ConfigurationError
from workbench.core.registry import BACKENDS, load
from workbench.core.settings import Settings
from workbench.engine.memory import free_for_models
from workbench.logs import configure_logs, log_loop_error
from workbench.service import Workbench
from workbench.store import FILE_NAME, Store

if TYPE_CHECKING:
    import gradio as gr

GRACEFUL_SHUTDOWN_SECONDS = 5
_BACKLOG = 2048

Page = Callable[[FastAPI, Workbench], None]
"""Mounts a user interface at an app's root."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How the server is reached: TLS files, and whether plain HTTP is meant where others can listen."""

    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    is_plain_meant: bool = False


def make_workbench(settings: Settings, catalogue: Catalogue, store: Store | None = None) -> Workbench:
    """The service over a catalogue, with engine and memory plan. Raises: ConfigurationError for a wrong guard."""

    def open_model(card: ModelCard, progress: Progress) -> Backend:
        backend: Backend = load(BACKENDS, card.backend, "backend")(card, settings, progress)
        return backend

    return Workbench(settings, catalogue, Pool(catalogue, open_model, _memory_plan(settings)), store)


def _memory_plan(settings: Settings) -> MemoryPlan:
    """What the pool asks before it loads a model; torch is imported only then."""

    def needed(card: ModelCard) -> int | None:
        from workbench.engine.footprint import needed_bytes
        from workbench.engine.loader import default_dtype_bytes

        return (
            needed_bytes(card, settings, default_dtype_bytes(card.dtype)) if card.backend == "local" else None
        )

    return MemoryPlan(free_for_models, needed)


def build_app(workbench: Workbench, keys: KeyRing, *, page: Page | None = None) -> FastAPI:
    """The whole site behind its one door. The app's lifespan starts and stops the service."""
    settings = workbench.settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        await workbench.start()
        try:
            yield
        finally:
            await workbench.stop()

    site = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    site.state.workbench = workbench
    add_error_handlers(site)
    site.include_router(health.router)
    site.mount("/openai", create_api(workbench))
    if page is not None:
        page(site, workbench)
    rules = AccessRules(
        hosts=HostRules(settings.allowed_host_names, settings.public_url),
        keys=keys,
        sessions=Sessions(secrets.token_bytes(32)),
        accounts=_local_account,
        signs_in=LOCAL_USER,
    )
    # The last one added is the outermost.
    site.add_middleware(Access, rules=rules)
    site.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    site.add_middleware(Envelope)
    return site


async def _local_account(name: str) -> Caller | None:
    """The one local user, while there are no accounts."""
    return LOCAL_USER if name == LOCAL_USER.account else None


def gradio_page(site: FastAPI, workbench: Workbench) -> None:
    """Mounts the Gradio page, whose events act for the caller the door let in."""
    # Gradio takes seconds to import: only the server needs it.
    from workbench.ui.app import mount_ui

    mount_ui(site, workbench, caller_of=_page_caller)


def _page_caller(request: gr.Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def serve(settings: Settings, models: tuple[str, ...] = (), transport: Transport | None = None) -> None:
    """Runs the server until it is told to stop.

    Raises: ConfigurationError, before anything slow is done, for what the operator must change.
    """
    transport = transport or Transport()
    configure_logs(settings.log_level)
    _check_exposure(settings)
    listener = _listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    catalogue = read_catalogue(settings.models).with_models(models)
    # uvicorn ends the process by the signal it got; as an exception the store is closed first.
    signal.signal(signal.SIGTERM, _stop)
    try:
        asyncio.run(_run(settings, catalogue, listener, transport))
    except KeyboardInterrupt:
        return


def _stop(signal_number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


async def _run(
    settings: Settings, catalogue: Catalogue, listener: socket.socket, transport: Transport
) -> None:
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    async with await Store.open(settings.database_url or settings.home / FILE_NAME) as store:
        workbench = make_workbench(settings, catalogue, store)
        site = build_app(workbench, store.keys, page=gradio_page)
        config = uvicorn.Config(
            site,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            root_path=settings.root_path,
            ssl_certfile=transport.ssl_certfile,
            ssl_keyfile=transport.ssl_keyfile,
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        )
        await _Server(config, store, settings.base_url).serve([listener])


class _Server(uvicorn.Server):
    """Says where it is as soon as it answers, and on a store without keys makes the first one."""

    def __init__(self, config: uvicorn.Config, store: Store, url: str) -> None:
        super().__init__(config)
        self._store = store
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer, then writes URL and key on standard output."""
        await super().startup(sockets)
        if not self.started:
            return
        lines = [f"Workbench: {self._url}", f"API:       {self._url}/openai/v1"]
        if await self._store.keys.is_empty():
            key = await self._store.keys.create(name="first key")
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


def _check_exposure(settings: Settings) -> None:
    """Raises: ConfigurationError for an address others can reach while there are no accounts."""
    if not _is_loopback(settings.host):
        raise ConfigurationError(
            f"Others can reach {settings.host}, and this server has no accounts yet: it would be open to all. "
            "Make the first admin with `workbench users create NAME --admin`, or serve on 127.0.0.1."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _listen(settings: Settings) -> socket.socket:
    """A bound socket. Raises: ConfigurationError when the port is taken or the address is not ours."""
    address = f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
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
