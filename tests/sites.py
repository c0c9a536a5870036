"""Whole sites over a scripted backend: served within the test's own loop, or by a real uvicorn in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Opener, Pool
from workbench.backends.scripted import ScriptedBackend
from workbench.core.access import KeyKind
from workbench.core.backend import ModelCard
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import TextPrompt
from workbench.core.errors import InvalidApiKey
from workbench.core.settings import Settings
from workbench.server import build_app
from workbench.service import Workbench
from workbench.store import Store

MODEL = "scripted/model"
OTHER_MODEL = "scripted/other"
KEY = "wb-test-key-that-opens-the-model-routes"
ADMIN_KEY = "wb-test-key-that-opens-administration"
SMALL_KEY = "wb-test-key-that-may-use-one-model-only"
STARTUP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class FakeKey:
    """A key's kind and caller."""

    kind: KeyKind
    caller: Caller


class FakeKeyRing:
    """Three keys, in memory."""

    def __init__(self) -> None:
        self._keys = {
            KEY: FakeKey(KeyKind.INFERENCE, Caller("key_test", key_id="key_test")),
            ADMIN_KEY: FakeKey(KeyKind.ADMIN, Caller("key_admin", key_id="key_admin", is_admin=True)),
            SMALL_KEY: FakeKey(
                KeyKind.INFERENCE, Caller("key_small", key_id="key_small", models=frozenset({MODEL}))
            ),
        }

    async def authenticate(self, secret: str | None, kinds: Collection[KeyKind]) -> FakeKey:
        found = self._keys.get(secret or "")
        if found is None or found.kind not in kinds:
            raise InvalidApiKey("Invalid API key: ***")
        return found


def scripted_workbench(
    backend: ScriptedBackend, settings: Settings, opener: Opener | None = None
) -> Workbench:
    """A service with two catalogue entries, both answered by `backend`, or by what `opener` loads."""
    cards = {
        id_: ModelCard(id=id_, source="script", backend="scripted", price_per_million_tokens=0.2)
        for id_ in (MODEL, OTHER_MODEL)
    }
    catalogue = Catalogue(cards)
    return Workbench(settings, catalogue, Pool(catalogue, opener or (lambda card, progress: backend)))


@dataclass(frozen=True, slots=True)
class Site:
    """A site in the test's own loop, its backend, and a client that carries a key."""

    app: FastAPI
    workbench: Workbench
    backend: ScriptedBackend
    client: httpx.AsyncClient


@asynccontextmanager
async def open_site(settings: Settings, backend: ScriptedBackend) -> AsyncGenerator[Site, None]:
    """A site whose default model is loaded."""
    workbench = scripted_workbench(backend, settings)
    app = build_app(workbench, FakeKeyRing())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860", headers=headers) as client,
    ):
        await workbench.tokenize(MODEL, TextPrompt("waits until the model is loaded"), LOCAL_USER)
        yield Site(app, workbench, backend, client)


@dataclass(slots=True)
class LiveServer:
    """A real server on a free port. `base_url` ends in /openai/v1; `origin` is the site's root."""

    origin: str
    api_key: str
    backend: ScriptedBackend
    model: str = MODEL
    base_url: str = field(init=False)

    def __post_init__(self) -> None:
        self.base_url = f"{self.origin}/openai/v1"


@contextmanager
def serve_live(home: Path, backend: ScriptedBackend, **settings: object) -> Iterator[LiveServer]:
    """A site over `backend` and a real store in `home`, served until the context ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        ready: dict[str, str] = {}
        started = threading.Event()
        chosen = Settings(home=home, port=port, **settings)  # type: ignore[arg-type]
        server = _StartedServer(uvicorn.Config("unused", log_config=None, access_log=False), started)
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(server, chosen, backend, listener, ready)), name="live-server"
        )
        thread.start()
        try:
            assert started.wait(STARTUP_SECONDS), "the live server did not start"
            yield LiveServer(f"http://127.0.0.1:{port}", ready["key"], backend)
        finally:
            server.should_exit = True
            thread.join(STARTUP_SECONDS)
            assert not thread.is_alive(), "the live server did not stop"


class _StartedServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, event: threading.Event) -> None:
        super().__init__(config)
        self._event = event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._event.set()


async def _serve(
    server: uvicorn.Server,
    settings: Settings,
    backend: ScriptedBackend,
    listener: socket.socket,
    ready: dict[str, str],
) -> None:
    async with await Store.open(settings.home / "workbench.db") as store:
        ready["key"] = (await store.keys.create(name="test")).secret
        workbench = scripted_workbench(backend, settings)
        server.config = uvicorn.Config(
            build_app(workbench, store.keys),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        await server.serve([listener])
