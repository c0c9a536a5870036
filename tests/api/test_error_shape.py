"""Every answer that is not a success is `{"error": {message, type, param, code}}` with an `x-request-id`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from tests.sites import MODEL, Site
from workbench.api.schemas.chat import ChatBody
from workbench.core.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
WRONG_BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b'{"model": 5}',
    b'{"model": "m", "messages": 1}',
)


def paths(app: FastAPI, prefix: str = "") -> Iterator[str]:
    """The patterns of all routes, also of what is mounted."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from paths(route.app, prefix + route.path)
        elif context.path is not None:
            yield prefix + context.path


def assert_is_error(answer: httpx.Response) -> None:
    error = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert error["param"] is None or isinstance(error["param"], str)
    assert error["code"] is None or isinstance(error["code"], str)
    assert answer.headers["x-request-id"]
    assert answer.status_code != 422
    assert "detail" not in answer.json()


async def test_the_walk_meets_every_route(site: Site) -> None:
    found = set(paths(site.app))
    assert {
        "/health/ready",
        "/openai/health",
        "/openai/v1/chat/completions",
        "/openai/v1/completions",
    } <= found
    assert {"/openai/v1/models", "/openai/v1/models/{model:path}", "/openai/v1/tokenize"} <= found


async def test_every_route_answers_every_method_well_or_with_an_error_object(site: Site) -> None:
    for path in paths(site.app):
        for method in METHODS:
            answer = await site.client.request(method, path.replace("{model:path}", "no/such"))
            if answer.status_code >= 300:
                assert_is_error(answer)
            assert answer.status_code < 500, (method, path)


async def test_every_route_refuses_a_stranger_with_an_error_object(site: Site) -> None:
    del site.client.headers["authorization"]
    for path in paths(site.app):
        answer = await site.client.get(path)
        if "health" not in path:
            assert answer.status_code == 401, path
            assert_is_error(answer)


@pytest.mark.parametrize("route", ["chat/completions", "completions", "tokenize"])
@pytest.mark.parametrize("body", WRONG_BODIES)
async def test_a_wrong_body_is_a_400(site: Site, route: str, body: bytes) -> None:
    answer = await site.client.post(f"/openai/v1/{route}", content=body)
    assert answer.status_code == 400
    assert_is_error(answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/openai/v1/nowhere", 404),
        ("GET", "/openai/", 404),
        ("POST", "/openai/v1/chat/completions/", 404),
        ("GET", "/openai/v1/chat/completions", 405),
        ("DELETE", "/openai/v1/models/x", 405),
        ("GET", "/openai/v1/models/no/such", 404),
    ],
)
async def test_a_wrong_route_or_method_is_an_error_object(
    site: Site, method: str, path: str, status: int
) -> None:
    answer = await site.client.request(method, path)
    assert answer.status_code == status
    assert_is_error(answer)
    assert ("allow" in answer.headers) == (status == 405)


class TestSize:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_body_bytes": 1024})

    async def test_a_body_that_says_it_is_too_large_is_not_read(self, site: Site) -> None:
        answer = await site.client.post("/openai/v1/completions", content=b" " * 1025)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert_is_error(answer)

    async def test_a_body_that_grows_too_large_is_cut_off(self, site: Site) -> None:
        async def endless() -> object:
            while True:
                yield b" " * 500

        answer = await site.client.post("/openai/v1/completions", content=endless())  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert_is_error(answer)

    async def test_a_body_of_the_limit_is_read(self, site: Site) -> None:
        body = b'{"model": "%s", "prompt": "Hi"}' % MODEL.encode()
        answer = await site.client.post("/openai/v1/completions", content=body.ljust(1024))
        assert answer.status_code == 200


async def test_a_bug_is_a_500_without_any_text_of_the_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(self: ChatBody) -> None:
        raise RuntimeError(f"could not read {self.messages}")

    monkeypatch.setattr(ChatBody, "request", broken)
    sent = {"model": MODEL, "messages": [{"role": "user", "content": "xyzzy-canary"}]}
    answer = await site.client.post("/openai/v1/chat/completions", json=sent)
    assert answer.status_code == 500
    assert_is_error(answer)
    written = capfd.readouterr()
    assert "RuntimeError" in written.out + written.err
    assert "xyzzy-canary" not in written.out + written.err + answer.text
