from __future__ import annotations

import re

import httpx
import pytest

from tests.sites import ADMIN_KEY, KEY, MODEL, OTHER_MODEL, SMALL_KEY, Site
from workbench.core.settings import Settings

MODELS = "/openai/v1/models"


@pytest.fixture
async def visitor(site: Site) -> httpx.AsyncClient:
    """A client that carries nothing."""
    del site.client.headers["authorization"]
    return site.client


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "path",
    [MODELS, "/openai/docs", "/openai/openapi.json", "/openai/nowhere", "/metrics", "/x", "/gradio_api/info"],
)
async def test_nothing_answers_a_stranger(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openai/health"])
async def test_health_answers_anyone(visitor: httpx.AsyncClient, path: str) -> None:
    assert (await visitor.get(path)).status_code == 200


async def test_a_key_opens_the_api_and_says_who_asks(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get(MODELS, headers=bearer(KEY))).status_code == 200
    assert (await visitor.get(MODELS, headers={"authorization": f"bearer  {KEY}"})).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wb-unknown", f"Basic {KEY}", KEY, "Bearer \x00"])
async def test_what_is_no_key_opens_nothing(visitor: httpx.AsyncClient, header: str) -> None:
    answer = await visitor.get(MODELS, headers={"authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("name", ["key", "api_key", "token", "access_token", "authorization"])
async def test_a_key_in_an_address_opens_nothing(visitor: httpx.AsyncClient, name: str) -> None:
    assert (await visitor.get(MODELS, params={name: KEY})).status_code == 401
    assert (await visitor.get(MODELS, params={name: f"Bearer {KEY}"})).status_code == 401


async def test_an_admin_key_opens_docs_but_no_model_route(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get(MODELS, headers=bearer(ADMIN_KEY))).status_code == 401
    assert (await visitor.get("/openai/docs", headers=bearer(ADMIN_KEY))).status_code == 200


async def test_a_key_opens_no_page(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/gradio_api/info", headers=bearer(KEY))).status_code == 401


async def test_a_key_with_a_scope_sees_and_uses_its_models_alone(visitor: httpx.AsyncClient) -> None:
    listed = (await visitor.get(MODELS, headers=bearer(SMALL_KEY))).json()["data"]
    assert [model["id"] for model in listed] == [MODEL]
    sent = {"model": OTHER_MODEL, "prompt": "Hi"}
    answer = await visitor.post("/openai/v1/completions", json=sent, headers=bearer(SMALL_KEY))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "model_not_allowed")


async def test_on_loopback_a_page_signs_itself_in(visitor: httpx.AsyncClient) -> None:
    opened = await visitor.get("/")
    cookie = opened.headers["set-cookie"]
    assert re.match(r"workbench_session_7860=", cookie)
    for wanted in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert wanted in cookie
    assert (await visitor.get(MODELS)).status_code == 200
    assert "set-cookie" not in (await visitor.get("/")).headers


async def test_only_a_page_signs_in(visitor: httpx.AsyncClient) -> None:
    for path in ("/gradio_api/info", MODELS, "/metrics"):
        answer = await visitor.get(path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers.get("set-cookie")) == (401, None)
    assert (await visitor.post("/")).status_code == 401
    assert "set-cookie" in (await visitor.get("/compare", headers={"accept": "text/html"})).headers


async def test_a_forged_cookie_opens_nothing(visitor: httpx.AsyncClient) -> None:
    for value in (b"local", b"local.aaaa.bbbb", b"", b"\xff"):
        cookie = {b"cookie": b"workbench_session_7860=" + value}
        assert (await visitor.get(MODELS, headers=cookie)).status_code == 401


async def test_a_wrong_key_is_not_saved_by_a_cookie(visitor: httpx.AsyncClient) -> None:
    await visitor.get("/")
    assert (await visitor.get(MODELS, headers=bearer("wb-wrong"))).status_code == 401


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:7860", "localhost:1", "LOCALHOST", "[::1]", "[::1]:7860"]
)
async def test_loopback_names_are_answered(visitor: httpx.AsyncClient, host: str) -> None:
    assert (await visitor.get("/health/live", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "localhost.example.com",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "user@localhost",
        "localhost:x",
        "",
        "::1",
        "[::1",
        "localhost/x",
    ],
)
async def test_any_other_host_is_refused_even_with_a_key(visitor: httpx.AsyncClient, host: str) -> None:
    for path in ("/health/live", MODELS, "/"):
        answer = await visitor.get(path, headers={"host": host, **bearer(KEY)})
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:7860"])
async def test_our_own_origin_is_answered(visitor: httpx.AsyncClient, origin: str) -> None:
    assert (await visitor.get(MODELS, headers={"origin": origin, **bearer(KEY)})).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:7860",
        "null",
        "",
        "file://",
        "http://127.0.0.1:7860/x",
        "ftp://127.0.0.1:7860",
    ],
)
async def test_a_foreign_origin_is_refused_even_with_a_key(visitor: httpx.AsyncClient, origin: str) -> None:
    answer = await visitor.get(MODELS, headers={"origin": origin, **bearer(KEY)})
    assert answer.status_code == 403


async def test_a_foreign_page_may_link_here_but_not_embed(visitor: httpx.AsyncClient) -> None:
    embedded = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    statuses = [
        (await visitor.get("/health/live", headers=headers)).status_code
        for headers in (embedded, linked, own)
    ]
    assert statuses == [403, 200, 200]


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "x-forwarded-anything"]
)
async def test_without_accounts_a_proxied_request_is_refused_with_the_cure(
    visitor: httpx.AsyncClient, header: str
) -> None:
    for path in ("/", MODELS):
        answer = await visitor.get(path, headers={header: "203.0.113.1", **bearer(KEY)})
        assert answer.status_code == 403
        assert "workbench users create" in answer.json()["error"]["message"]


class TestNamedHosts:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={"allowed_hosts": "models.example, [::2]", "public_url": "https://try.example"}
        )

    async def test_hosts_the_operator_names_are_answered(self, visitor: httpx.AsyncClient) -> None:
        for host in ("models.example", "Models.Example:8443", "try.example"):
            assert (await visitor.get("/health/live", headers={"host": host})).status_code == 200

    async def test_the_public_address_is_an_origin_of_ours(self, visitor: httpx.AsyncClient) -> None:
        headers = {"origin": "https://try.example", "host": "127.0.0.1:7860"}
        assert (await visitor.get("/health/live", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/", MODELS, "/health/live", "/openai/docs"])
async def test_every_answer_forbids_foreign_content_and_framing(site: Site, path: str) -> None:
    headers = (await site.client.get(path)).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "img-src 'self' data: blob:" in headers["content-security-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert re.fullmatch(r"req_[0-9a-f]{32}", headers["x-request-id"])


async def test_a_websocket_is_closed_before_it_opens(site: Site) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")], "query_string": b""}
    await site.app(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
