from __future__ import annotations

import httpx
import pytest

from tests.sites import MODEL, Site
from workbench.api.cors import Cors
from workbench.core.errors import ConfigurationError
from workbench.core.settings import Settings

APP = "https://app.example.org"
MODELS = "/openai/v1/models"


class TestListed:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"cors_origins": f"{APP}, https://OTHER.example.org:8443"})

    async def test_a_listed_page_calls_the_api_with_a_key(self, site: Site) -> None:
        body = {"model": MODEL, "prompt": "Hi"}
        answer = await site.client.post("/openai/v1/completions", json=body, headers={"origin": APP})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == APP
        assert "Origin" in answer.headers["vary"]
        assert "x-ratelimit-limit-requests" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    async def test_its_browser_may_ask_before(self, site: Site) -> None:
        del site.client.headers["authorization"]
        asked = {
            "origin": APP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-stainless-lang",
        }
        answer = await site.client.options("/openai/v1/chat/completions", headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, APP)
        assert answer.headers["access-control-allow-headers"] == asked["access-control-request-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    async def test_it_is_told_what_is_wrong_too(self, site: Site) -> None:
        headers = {"origin": APP, "authorization": "Bearer wb-wrong"}
        answer = await site.client.get(MODELS, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, APP)

    async def test_a_session_opens_nothing_to_it(self, site: Site) -> None:
        del site.client.headers["authorization"]
        await site.client.get("/")
        assert (await site.client.get(MODELS)).status_code == 200
        assert (await site.client.get(MODELS, headers={"origin": APP})).status_code == 401

    @pytest.mark.parametrize(
        "path", ["/", "/config", "/openai/docs", "/metrics", "/health/live", "/openai/v1"]
    )
    async def test_only_the_api_is_open_to_it(self, site: Site, path: str) -> None:
        answer = await site.client.get(path, headers={"origin": APP})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("origin", ["https://evil.example", f"{APP}.evil.example", "null", f"{APP}:8443"])
    async def test_no_other_page_is_let_in(self, site: Site, origin: str) -> None:
        answer = await site.client.get(MODELS, headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


async def test_without_a_list_no_page_is_told_anything(site: Site) -> None:
    own = "http://127.0.0.1:7860"
    for method in ("GET", "OPTIONS"):
        asked = {"origin": own, "access-control-request-method": "GET"}
        answer: httpx.Response = await site.client.request(method, MODELS, headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", "app.example.org", "https://app.example.org/", "null"]
)
def test_what_is_no_origin_is_refused_at_start(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="WORKBENCH_CORS_ORIGINS"):
        Cors([origin])
