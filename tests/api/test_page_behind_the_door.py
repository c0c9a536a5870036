"""Gradio's own routes have no login of their own: the door in front of them is the only one."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route

from tests.sites import FakeKeyRing, scripted_workbench
from workbench.api.access import OPEN_PATHS
from workbench.api.login import AccountRecord
from workbench.backends.scripted import ScriptedBackend
from workbench.core.errors import InvalidLogin
from workbench.core.settings import Settings
from workbench.site import build_app, gradio_page
from workbench.ui.event_streams import EventStreams
from workbench.ui.first_page import FirstPage
from workbench.ui.gradio_door import GradioDoor


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    return build_app(scripted_workbench(ScriptedBackend(), settings), FakeKeyRing(), page=gradio_page)


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        yield client


def routes(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route, also of what is mounted; patterns are filled with an x."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Mount):
            yield "GET", f"{prefix}{route.path}/x"
            mounted = route.app
            while isinstance(mounted, GradioDoor | EventStreams | FirstPage):
                mounted = mounted.app
            if isinstance(mounted, FastAPI):
                yield from routes(mounted, prefix + route.path)
        elif isinstance(route, Route):
            path = re.sub(r"\{[^}]*\}", "x", context.path_format or route.path)
            for method in context.methods or {"GET"}:
                yield method, prefix + path


async def test_no_route_of_the_page_answers_a_stranger(app: FastAPI, visitor: httpx.AsyncClient) -> None:
    walked = set(routes(app))
    assert {("POST", "/gradio_api/queue/join"), ("GET", "/config"), ("POST", "/gradio_api/upload")} <= walked
    for method, path in sorted(walked - {("GET", "/"), ("HEAD", "/")}):
        visitor.cookies.clear()
        answer = await visitor.request(method, path or "/nothing")
        if path not in OPEN_PATHS:
            assert answer.status_code == 401, (method, path)


class NoAccounts:
    """Knows nobody: every log-in is refused."""

    async def log_in(self, name: str, password: str, address: str) -> AccountRecord:
        raise InvalidLogin

    async def session(self, name: str, epoch: int) -> AccountRecord:
        raise InvalidLogin

    async def set_password(self, name: str, password: str) -> AccountRecord:
        raise AssertionError("nobody has a password")

    async def end_sessions(self, name: str) -> None:
        raise AssertionError("nobody can log out")


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_with_accounts_no_route_at_all_answers_a_stranger(tmp_path: Path, accept: str) -> None:
    settings = Settings(home=tmp_path)
    workbench = scripted_workbench(ScriptedBackend(), settings)
    app = build_app(workbench, FakeKeyRing(), page=gradio_page, accounts=NoAccounts())
    walked = set(routes(app))
    assert {("GET", "/"), ("GET", "/metrics"), ("POST", "/login"), ("POST", "/logout")} <= walked
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        for method, path in sorted(walked):
            answer = await client.request(method, path or "/nothing", headers={"accept": accept})
            if path not in OPEN_PATHS:
                assert answer.status_code == 401, (method, path)
                assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("header", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
async def test_no_route_at_all_answers_a_foreign_page_or_name(
    app: FastAPI, visitor: httpx.AsyncClient, header: dict[str, str]
) -> None:
    await visitor.get("/")
    for method, path in sorted(set(routes(app))):
        answer = await visitor.request(method, path or "/nothing", headers=header)
        assert answer.status_code == 403, (method, path)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_of_gradios_routes_a_session_opens_those_of_the_page_alone(
    app: FastAPI, visitor: httpx.AsyncClient
) -> None:
    await visitor.get("/")
    walked = {(method, path) for method, path in routes(app) if path.startswith("/gradio_api")}
    answers = {
        (method, path): (await visitor.request(method, path)).status_code
        for method, path in walked
        if "heartbeat" not in path  # it lasts as long as its page
    }
    read = {path for (method, path), status in answers.items() if method == "GET" and status != 404}
    sent = {path for (method, path), status in answers.items() if method == "POST" and status != 404}
    api = "/gradio_api"
    assert read == {
        f"{api}/info", f"{api}/info/", f"{api}/app_id", f"{api}/theme.css", f"{api}/startup-events",
        f"{api}/queue/data", f"{api}/upload_progress", f"{api}/app_id/",
    }  # fmt: skip
    assert sent == {
        f"{api}/queue/join", f"{api}/run/x", f"{api}/run/x/", f"{api}/cancel", f"{api}/reset", f"{api}/reset/",
        f"{api}/upload",
    }  # fmt: skip


async def test_the_page_and_its_parts_are_served_to_whom_it_signed_in(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/config")).status_code == 401
    page = await visitor.get("/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "gradio" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for path in ("/config", "/theme.css", "/openai/docs", "/openai/openapi.json"):
        assert (await visitor.get(path)).status_code == 200, path


async def test_the_docs_fetch_nothing_from_another_host(visitor: httpx.AsyncClient) -> None:
    await visitor.get("/")
    page = (await visitor.get("/openai/docs")).text
    assert "://" not in page.replace("http://www.w3.org", "")
    assert (await visitor.get("/openai/static-offline-docs/swagger-ui-bundle.js")).status_code == 200


UPWARDS = [
    f"{place}/{step}{target}"
    for place in ("/ui", "/static", "/assets", "/svelte", "/openai/static-offline-docs", "/gradio_api/file=")
    for step in ("../" * 12, "..%2f" * 12, "%2e%2e/" * 12, "....//" * 6, "..\\" * 12, "/")
    for target in ("etc/passwd", "pyproject.toml")
]


async def test_no_path_leads_out_of_our_own_files(app: FastAPI, visitor: httpx.AsyncClient) -> None:
    """As it is, and as a server decodes it: a client would tidy it up before."""
    await visitor.get("/")
    (session,) = visitor.cookies.jar
    cookie = f"{session.name}={session.value}".encode()
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    for path in {*UPWARDS, *map(unquote, UPWARDS)}:
        said.clear()
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 7860),
            "client": ("127.0.0.1", 1), "headers": [(b"host", b"127.0.0.1:7860"), (b"cookie", cookie)],
        }  # fmt: skip
        await app(scope, receive, send)
        assert 400 <= said[0]["status"] < 500, path
        body = b"".join(message.get("body", b"") for message in said)
        assert b"root:" not in body
        assert b"[project]" not in body
