"""Whole sites over a scripted backend: served within the test's own loop, or by a real uvicorn in a thread."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
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
from workbench.service import Workbench
from workbench.site import build_app
from workbench.store import FILE_NAME, Store

MODEL = "scripted/model"
OTHER_MODEL = "scripted/other"
KEY = "wb-test-key-that-opens-the-model-routes"
ADMIN_KEY = "wb-test-key-that-opens-administration"
SMALL_KEY = "wb-test-key-that-may-use-one-model-only"
PASSWORD = "correct horse battery"
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
    backend: ScriptedBackend,
    settings: Settings,
    opener: Opener | None = None,
    store: Store | None = None,
    models: Sequence[str] = (MODEL, OTHER_MODEL),
) -> Workbench:
    """A service with these catalogue entries, all answered by `backend`, or by what `opener` loads."""
    cards = {
        id_: ModelCard(id=id_, source="script", backend="scripted", price_per_million_tokens=0.2)
        for id_ in models
    }
    catalogue = Catalogue(cards)
    return Workbench(settings, catalogue, Pool(catalogue, opener or (lambda card, progress: backend)), store)


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
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = _ServerThread(Settings(home=home, port=port, **settings), backend, listener)  # type: ignore[arg-type]
        thread.start()
        try:
            yield LiveServer(f"http://127.0.0.1:{port}", thread.api_key(), backend)
        finally:
            thread.stop()


class _ServerThread(threading.Thread):
    """A uvicorn in a thread of its own, which hands over a key once it answers."""

    def __init__(self, settings: Settings, backend: ScriptedBackend, listener: socket.socket) -> None:
        super().__init__(name="live-server")
        self._settings = settings
        self._backend = backend
        self._listener = listener
        self._key: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()
        self._server: uvicorn.Server | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:  # noqa: BLE001 - raised by api_key, in the test's own thread
            self._key.put(failure)

    async def _serve(self) -> None:
        async with await Store.open(self._settings.home / FILE_NAME) as store:
            key = (await store.keys.create(name="test")).secret
            site = build_app(scripted_workbench(self._backend, self._settings, store=store), store.keys)
            config = uvicorn.Config(
                site, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=1
            )
            self._server = _Announced(config, lambda: self._key.put(key))
            await self._server.serve([self._listener])

    def api_key(self) -> str:
        """The key, once the server answers. Raises: what kept it from starting."""
        key = self._key.get(timeout=STARTUP_SECONDS)
        if isinstance(key, Exception):
            raise RuntimeError("the live server did not start") from key
        return key

    def stop(self) -> None:
        """Ends the server and waits for its thread."""
        if self._server is not None:
            self._server.should_exit = True
        self.join(STARTUP_SECONDS)
        assert not self.is_alive(), "the live server did not stop"


class _Announced(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()
