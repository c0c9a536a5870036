"""What most tests need: settings of their own, a scripted backend, a site over it, a live server."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
from argon2 import PasswordHasher

from tests.nginx import NoNginx
from tests.proxied import Proxied, serve_proxied
from tests.sites import PASSWORD, LiveServer, Site, open_site, serve_live
from workbench.backends.scripted import ScriptedBackend
from workbench.core.access import AccountRole
from workbench.core.settings import Settings
from workbench.store import Store
from workbench.store.passwords import Passwords

# The same examples each time, so that a change is judged by what it changed; `--hypothesis-profile=default` looks for
# new ones.
hypothesis.settings.register_profile("steady", derandomize=True)
hypothesis.settings.load_profile("steady")

# Each test has a home of its own, and would compile the layers of its model anew.
os.environ.setdefault("WORKBENCH_COMPILE", "false")

REAL_HOME = Settings().home
"""Where this machine's own weights are, whatever home a test has."""


@pytest.fixture(autouse=True)
def logs_end_with_their_test() -> Iterator[None]:
    """A command that sets the logs up leaves them to a file that is closed when its test ends."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a home of the test's own, whatever the environment says."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return Settings(home=tmp_path)


@pytest.fixture
def backend() -> ScriptedBackend:
    """A backend that answers "Hello! This answer comes from a script."; override it for other scripts."""
    return ScriptedBackend()


@pytest.fixture
async def site(settings: Settings, backend: ScriptedBackend) -> AsyncGenerator[Site, None]:
    """The whole site over `backend`, in the test's own loop, with a client that carries a key."""
    async with open_site(settings, backend) as opened:
        yield opened


@pytest.fixture
def live_server(tmp_path: Path, backend: ScriptedBackend) -> Iterator[LiveServer]:
    """The whole site over `backend`, served by a real uvicorn on a free port."""
    with serve_live(tmp_path, backend) as server:
        yield server


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Store, None]:
    """A store where ada, an admin, and bob have accounts with the password PASSWORD of `tests.sites`."""
    # Argon2 at its full strength would make each test take seconds.
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("workbench.store.store.Passwords", lambda: Passwords(quick))
    async with await Store.open(tmp_path / "workbench.db") as opened:
        await opened.accounts.create("ada", PASSWORD, AccountRole.ADMIN)
        await opened.accounts.create("bob", PASSWORD)
        yield opened


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """The whole server behind nginx. Skips where there is no nginx."""
    try:
        with serve_proxied(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("nginx")) as served:
            yield served
    except NoNginx as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def embedded_weights() -> Path:
    """The folder of the embedded model's converted weights, made now if `make install` has not made it."""
    from workbench.engine.weights import ensure_embedded

    return ensure_embedded("smollm2-135m-instruct", REAL_HOME, lambda stage, fraction: None)
