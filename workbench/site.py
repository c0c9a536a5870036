"""The site put together: the service, the API, the page, and the one door in front of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI

from workbench.api.access import Access, AccessRules, Accounts, KeyRing
from workbench.api.app import create_api
from workbench.api.body_limit import BodyLimit
from workbench.api.cors import Cors
from workbench.api.envelope import Envelope
from workbench.api.errors import add_error_handlers
from workbench.api.hosts import HostRules
from workbench.api.login import AccountBook
from workbench.api.routes import health, metrics
from workbench.api.routes.login import login_router
from workbench.api.session import Session, Sessions
from workbench.api.session_secret import session_secret
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import MemoryPlan, Pool
from workbench.core.backend import Backend, ModelCard, Progress
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import InvalidLogin
from workbench.core.registry import BACKENDS, load
from workbench.core.settings import Settings
from workbench.engine.memory import free_for_models
from workbench.remote_keys import StoredKeys
from workbench.service import Workbench
from workbench.store import Store

if TYPE_CHECKING:
    import gradio as gr

log = structlog.get_logger(__name__)

STOP_SECONDS = 3.0
"""How long the models may take to be closed when the server stops."""

Page = Callable[[FastAPI, Workbench], None]
"""Mounts a user interface at an app's root."""


def make_workbench(settings: Settings, catalogue: Catalogue, store: Store | None = None) -> Workbench:
    """The service over a catalogue, with engine and memory plan. Raises: ConfigurationError for a wrong guard."""
    stored_keys = StoredKeys(settings)

    def open_model(card: ModelCard, progress: Progress) -> Backend:
        open_backend = load(BACKENDS, card.backend, "backend")
        if card.backend == "remote" and card.api_key_env is None:
            open_backend = partial(open_backend, stored_key=stored_keys.read(card.id))
        backend: Backend = open_backend(card, settings, progress)
        return backend

    return Workbench(settings, catalogue, Pool(catalogue, open_model, _memory_plan(settings)), store)


def _memory_plan(settings: Settings) -> MemoryPlan:
    """What the pool asks before it loads a model; torch is imported only then."""

    def needed(card: ModelCard) -> int | None:
        if card.backend != "local":
            return None
        from workbench.engine.footprint import local_folder, needed_bytes, stored_dtype
        from workbench.engine.loader import default_dtype_bytes

        folder = local_folder(card, settings)
        stored = None if folder is None else stored_dtype(folder)
        return needed_bytes(card, settings, default_dtype_bytes(card.dtype, stored))

    return MemoryPlan(free_for_models, needed)


def build_app(
    workbench: Workbench, keys: KeyRing, *, page: Page | None = None, accounts: AccountBook | None = None
) -> FastAPI:
    """The whole site behind its one door. The app's lifespan starts and stops the service.

    With `accounts` everybody logs in; without, the page acts for the one local user.
    """
    settings = workbench.settings
    sessions = Sessions(secrets.token_bytes(32) if accounts is None else session_secret(settings.home))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        await workbench.start()
        try:
            yield
        finally:
            await _stop_service(workbench)

    site = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    site.state.workbench = workbench
    add_error_handlers(site)
    site.include_router(health.router)
    site.include_router(metrics.router)
    if accounts is not None:
        site.include_router(login_router(accounts, sessions))
    site.mount("/openai", create_api(workbench))
    if page is not None:
        page(site, workbench)
    rules = AccessRules(
        hosts=HostRules(settings.allowed_host_names, settings.public_url),
        keys=keys,
        sessions=sessions,
        accounts=_local_account if accounts is None else _logged_in(accounts),
        signs_in=LOCAL_USER if accounts is None else None,
        cors=Cors(settings.cors_origin_names),
    )
    # The last one added is the outermost.
    site.add_middleware(Access, rules=rules)
    site.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    site.add_middleware(Envelope)
    return site


async def _stop_service(workbench: Workbench) -> None:
    """Stops the service, but waits for no model that is still loading: its thread cannot be interrupted."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await workbench.stop(grace_seconds=0)
    except TimeoutError:
        log.warning("left a model that was still loading")


async def _local_account(session: Session) -> Caller | None:
    """The one local user, while there are no accounts."""
    return LOCAL_USER if session.account == LOCAL_USER.account else None


def _logged_in(accounts: AccountBook) -> Accounts:
    """Asks the accounts at every request: what ended a session counts at once."""

    async def caller(session: Session) -> Caller | None:
        try:
            return (await accounts.session(session.account, session.epoch)).caller
        except InvalidLogin:
            return None

    return caller


def gradio_page(site: FastAPI, workbench: Workbench) -> None:
    """Mounts the Gradio page, whose events act for the caller the door let in."""
    # Gradio takes seconds to import: only the server needs it.
    from workbench.ui.app import mount_ui

    mount_ui(site, workbench, caller_of=_page_caller)


def _page_caller(request: gr.Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
