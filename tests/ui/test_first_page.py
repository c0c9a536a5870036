from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from workbench.ui.first_page import FirstPage
from workbench.ui.languages import Language, reader

LANGUAGES = {"de": Language("de", {"Home": "Start"})}
LINKS, LAST = '<link rel="modulepreload" href="./assets/a.js">', "<script>last()</script>"


class Gradio:
    """Counts the pages it made; the first one fails when told so."""

    def __init__(self) -> None:
        self.made = 0
        self.fails = False
        self.app = Starlette(routes=[Route("/", self.page), Route("/other", self.other)])

    async def page(self, request: Request) -> Response:
        self.made += 1
        if self.fails:
            return HTMLResponse("<html><head></head>failed", 500)
        language = reader.get()
        texts = "" if language is None else language.texts["Home"]
        head = f"<head><title>{request.url.hostname}</title></head>"
        return HTMLResponse(f'<html lang="en">{head}{texts}{"x" * 1000}')

    async def other(self, request: Request) -> Response:
        return PlainTextResponse("other")


@pytest.fixture
def gradio() -> Gradio:
    return Gradio()


@pytest.fixture
def client(gradio: Gradio) -> httpx.AsyncClient:
    site = Starlette(routes=[Mount("/", FirstPage(gradio.app, LANGUAGES, LINKS, LAST))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://here")


async def test_the_page_names_what_it_needs_first_of_all(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.text.startswith(f'<html lang="en"><head>{LINKS}<title>here</title>{LAST}</head>')
    assert page.headers["content-type"].startswith("text/html")


async def test_it_is_made_once_for_an_address_and_packed(client: httpx.AsyncClient, gradio: Gradio) -> None:
    first, again = await client.get("/"), await client.get("/", headers={"accept-encoding": "identity"})
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < 500 < int(again.headers["content-length"])
    assert "content-encoding" not in again.headers
    assert (first.text, gradio.made) == (again.text, 1)
    assert "<title>there</title>" in (await client.get("/", headers={"host": "there"})).text
    assert gradio.made == 2


async def test_it_is_made_once_for_a_language_and_says_which(
    client: httpx.AsyncClient, gradio: Gradio
) -> None:
    german = [
        await client.get("/", headers={"accept-language": said}) for said in ("de-DE,en;q=0.5", "de-AT")
    ]
    assert all('<html lang="de">' in page.text and "Start" in page.text for page in german)
    english = [await client.get("/", headers={"accept-language": said}) for said in ("en-US,de;q=0.5", "fr")]
    assert all('<html lang="en">' in page.text and "Start" not in page.text for page in english)
    assert gradio.made == 2
    assert "accept-language" in english[0].headers["vary"]


async def test_a_page_that_failed_is_not_kept(client: httpx.AsyncClient, gradio: Gradio) -> None:
    gradio.fails = True
    assert (await client.get("/")).status_code == 500
    gradio.fails = False
    assert (await client.get("/")).status_code == 200


async def test_everything_else_passes(client: httpx.AsyncClient, gradio: Gradio) -> None:
    assert (await client.get("/other")).text == "other"
    await client.get("/?view=api")
    await client.get("/?view=api")
    assert gradio.made == 2
    assert (await client.head("/")).text == ""
