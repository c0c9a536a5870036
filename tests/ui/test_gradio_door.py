"""Gradio behind the page's own door, as two members and their browsers meet it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from workbench.api.errors import add_error_handlers
from workbench.core.caller import Caller
from workbench.ui import gradio_door
from workbench.ui.gradio_door import GradioDoor
from workbench.ui.quiet_blocks import QuietBlocks
from workbench.ui.uploads import Uploads

API = "/gradio_api"


def _blocks() -> gr.Blocks:
    """An event that remembers what its session said before, one that reads a file, one that fails."""

    def remember(text: str, said: list[str]) -> tuple[str, list[str]]:
        said = [*said, text]
        return " ".join(said), said

    def read(path: str) -> str:
        return Path(path).read_text()

    def fail(text: str) -> str:
        raise LookupError(text)

    with QuietBlocks() as blocks:
        said, text, file, out = gr.State([]), gr.Textbox(), gr.File(type="filepath"), gr.Textbox()
        choice = gr.Dropdown(["a", "b"])
        gr.Button().click(remember, [text, said], [out, said])
        gr.Button().click(read, file, out)
        gr.Button().click(fail, text, out)
        gr.Button().click(lambda chosen: chosen, choice, out, queue=False)
    blocks.queue(api_open=False)
    return blocks


REMEMBER, READ, FAIL, CHOOSE = range(4)


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    uploads = Uploads(tmp_path / "uploads")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads.folder))
    site = FastAPI()
    add_error_handlers(site)
    gr.mount_gradio_app(
        site, _blocks(), path="/", show_error=False, run_history=False, ssr_mode=False, mcp_server=False
    )
    mounted: Any = site.routes[-1]
    mounted.app = GradioDoor(mounted.app, uploads)
    async with site.router.lifespan_context(site):
        yield site


class Member:
    """A client that is let in as one account, as the access rules would."""

    def __init__(self, site: FastAPI, account: str | None) -> None:
        async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
            if account is not None:
                scope.setdefault("state", {})["caller"] = Caller(f"account:{account}", account=account)
            await site(scope, receive, send)

        transport = httpx.ASGITransport(let_in, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")

    async def event(self, fn: int, *data: object, session: str = "tab") -> list[dict[str, Any]]:
        """What the page hears of one event."""
        joined = await self.client.post(
            f"{API}/queue/join", json={"fn_index": fn, "data": [*data], "session_hash": session}
        )
        assert joined.status_code == 200, joined.text
        return await self.messages(session)

    async def messages(self, session: str) -> list[dict[str, Any]]:
        answer = await self.client.get(f"{API}/queue/data", params={"session_hash": session})
        return [
            json.loads(line.removeprefix("data: "))
            for line in answer.text.splitlines()
            if line.startswith("data")
        ]

    async def output(self, fn: int, *data: object, session: str = "tab") -> object:
        heard = await self.event(fn, *data, session=session)
        (ended,) = [message for message in heard if message["msg"] == "process_completed"]
        return ended["output"]["data"][0] if ended["success"] else ended["output"]["error"]

    async def upload(self, name: str, content: bytes, **query: str) -> httpx.Response:
        return await self.client.post(f"{API}/upload", files={"files": (name, content)}, params=query)


@pytest.fixture
async def ada(site: FastAPI) -> AsyncGenerator[Member, None]:
    member = Member(site, "ada")
    async with member.client:
        yield member


@pytest.fixture
async def bob(site: FastAPI) -> AsyncGenerator[Member, None]:
    member = Member(site, "bob")
    async with member.client:
        yield member


def _file(path: str) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


async def test_a_sessions_state_is_its_accounts_alone(ada: Member, bob: Member) -> None:
    assert await ada.output(REMEMBER, "one", None) == "one"
    assert await ada.output(REMEMBER, "two", None) == "one two"
    assert await bob.output(REMEMBER, "three", None) == "three"
    assert await ada.output(REMEMBER, "four", None, session="another tab") == "four"


async def test_messages_go_to_no_other_account_that_knows_the_name(ada: Member, bob: Member) -> None:
    body = {"fn_index": REMEMBER, "data": ["secret", None], "session_hash": "tab"}
    await ada.client.post(f"{API}/queue/join", json=body)
    heard = await bob.messages("tab")
    assert [message.get("session_not_found") for message in heard] == [True]
    assert any(message["msg"] == "process_completed" for message in await ada.messages("tab"))


async def test_an_upload_is_read_by_its_account_alone(ada: Member, bob: Member) -> None:
    (path,) = (await ada.upload("a.csv", b"prompt\nsecret")).json()
    assert await ada.output(READ, _file(path)) == "prompt\nsecret"
    assert (await ada.client.get(f"{API}/file={path}")).text == "prompt\nsecret"
    assert (await bob.client.get(f"{API}/file={path}")).status_code == 404
    for spelled in (path, path.replace("/uploads/", "/uploads/../uploads/")):
        body = {"fn_index": READ, "data": [{"deep": [_file(spelled)]}], "session_hash": "tab"}
        assert (await bob.client.post(f"{API}/queue/join", json=body)).status_code == 403


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../etc/passwd", "https://example.com/a", "a\0b", ".", "x" * 9000]
)
async def test_no_other_file_and_no_address_is_fetched(ada: Member, path: str) -> None:
    for route in ("file", "proxy"):
        assert (await ada.client.get(f"{API}/{route}={quote(path)}")).status_code == 404
    for data in ([_file(path)], [{"path": path}], [{"deep": [_file(path)]}]):
        body = {"fn_index": READ, "data": data, "session_hash": "tab"}
        for route in ("queue/join", "run/predict"):
            assert (await ada.client.post(f"{API}/{route}", json=body)).status_code == 403


async def test_only_files_that_a_page_reads_are_taken(ada: Member, tmp_path: Path) -> None:
    refused = await ada.upload("page.html", b"<script>")
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    assert not list((tmp_path / "uploads").rglob("*.html"))
    (path,) = (await ada.upload("../../up.csv", b"x")).json()
    assert Path(path).is_relative_to(tmp_path / "uploads")


async def test_files_go_a_while_after_the_accounts_last_page(
    ada: Member, site: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradio_door, "SECONDS_AFTER_LEAVING", 0.0)
    (path,) = (await ada.upload("a.csv", b"x")).json()
    left = asyncio.Event()
    seen = asyncio.Event()
    scope = {
        "type": "http", "method": "GET", "path": f"{API}/heartbeat/tab", "raw_path": b"", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:7860")], "scheme": "http", "server": ("127.0.0.1", 7860),
        "root_path": "", "state": {"caller": Caller("account:ada", account="ada")},
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        seen.set()

    page = asyncio.create_task(site(scope, receive, send))
    await seen.wait()
    await asyncio.sleep(0)
    assert (await ada.client.get(f"{API}/file={path}")).status_code == 200
    left.set()
    await page
    await asyncio.sleep(0.01)  # longer than the 0 seconds that the files wait for another page
    assert (await ada.client.get(f"{API}/file={path}")).status_code == 404
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/deep_link?session_hash=tab"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/token"),
        ("GET", "/monitoring"),
        ("GET", "/logout"),
        ("POST", "/login"),
        ("POST", "/gradio_api/call/remember"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/stream/x/close"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/custom_component/a/client/b/c.js"),
        ("PUT", "/"),
        ("OPTIONS", "/gradio_api/queue/join"),
    ],
)
async def test_what_the_page_does_not_use_is_not_there(ada: Member, method: str, path: str) -> None:
    answer = await ada.client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "There is no such page."


async def test_who_has_not_been_let_in_gets_nothing(site: FastAPI) -> None:
    stranger = Member(site, None)
    async with stranger.client:
        for path in ("/", "/config", "/theme.css", f"{API}/queue/data?session_hash=tab"):
            assert (await stranger.client.get(path)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 10_000])
async def test_a_body_that_is_no_object_is_refused(ada: Member, body: bytes) -> None:
    assert (await ada.client.post(f"{API}/queue/join", content=body)).status_code == 400


async def test_nobody_can_make_the_page_name_another_host(ada: Member) -> None:
    forged = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    assert "evil.example" not in (await ada.client.get("/config", headers=forged)).text


@pytest.fixture
def logged() -> None:
    """Our logs where this test reads them, wherever an earlier server in this process sent them."""
    structlog.reset_defaults()


@pytest.mark.usefixtures("logged")
async def test_what_a_failing_event_was_given_is_not_printed(
    ada: Member, capfd: pytest.CaptureFixture[str]
) -> None:
    told = await ada.output(FAIL, "xyzzy-canary")
    body = {"fn_index": CHOOSE, "data": ["xyzzy-canary"], "session_hash": "tab"}
    chosen = await ada.client.post(f"{API}/run/predict", json=body)
    assert chosen.status_code == 500
    written = capfd.readouterr()
    assert "xyzzy-canary" not in written.out + written.err + str(told)
    assert "LookupError" in written.out + written.err
    assert "fail" in written.out + written.err
