"""Where accounts are on: who gets in, and how a session begins and ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.sites import KEY, PASSWORD, FakeKeyRing, scripted_workbench
from workbench.api.session_secret import FILE_NAME, session_secret
from workbench.backends.scripted import ScriptedBackend
from workbench.core.errors import ConfigurationError
from workbench.core.settings import Settings
from workbench.site import build_app
from workbench.store import Store

ADDRESS = "http://127.0.0.1:7860"
MODELS = "/openai/v1/models"
BROWSER = {"accept": "text/html"}


@pytest.fixture
async def visitor(settings: Settings, store: Store) -> AsyncGenerator[httpx.AsyncClient, None]:
    workbench = scripted_workbench(ScriptedBackend(), settings, store=store)
    app = build_app(workbench, FakeKeyRing(), accounts=store.accounts)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        yield client


async def log_in(
    client: httpx.AsyncClient, name: str = "ada", password: str = PASSWORD, **headers: str
) -> httpx.Response:
    sent = {"origin": ADDRESS, **headers}
    return await client.post("/login", data={"name": name, "password": password}, headers=sent)


async def test_a_browser_without_a_session_is_shown_the_form_and_nothing_else(
    visitor: httpx.AsyncClient,
) -> None:
    for path in ("/", "/openai/docs", "/nowhere"):
        answer = await visitor.get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
        assert '<form method="post" action="/login">' in answer.text
        assert "set-cookie" not in answer.headers


async def test_the_form_fetches_nothing(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get("/", headers=BROWSER)).text
    assert not any(loaded in page for loaded in ("<script", "src=", "url(", "http"))


async def test_a_login_opens_page_and_api_by_a_cookie_no_script_reads(visitor: httpx.AsyncClient) -> None:
    answer = await log_in(visitor, " Ada ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    for wanted in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert wanted in answer.headers["set-cookie"]
    assert (await visitor.get(MODELS)).status_code == 200
    assert (await visitor.get("/metrics")).status_code == 200


async def test_over_tls_the_cookie_is_never_sent_in_the_clear(visitor: httpx.AsyncClient) -> None:
    visitor.base_url = httpx.URL("https://127.0.0.1:7860")
    answer = await log_in(visitor, origin="https://127.0.0.1:7860")
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("<b>", "<script>"),
        ("local", "x"),
    ],
)
async def test_a_wrong_login_is_refused_the_same_way_whatever_is_wrong(
    visitor: httpx.AsyncClient, name: str, password: str
) -> None:
    answer = await log_in(visitor, name, password)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (401, None)
    assert "The name or the password is wrong." in answer.text
    assert "<script" not in answer.text
    assert "<b>" not in answer.text


async def test_attempts_are_limited_and_then_even_the_right_password_waits(
    visitor: httpx.AsyncClient,
) -> None:
    statuses = [(await log_in(visitor, password="wrong password")).status_code for _ in range(5)]
    assert statuses == [401] * 5
    answer = await log_in(visitor)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_no_other_site_can_log_in_or_out(visitor: httpx.AsyncClient) -> None:
    for path in ("/login", "/logout", "/password"):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:3000"):
            assert (await visitor.post(path, headers={"origin": origin})).status_code == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_the_form_itself_can_be_sent_without_a_session(
    visitor: httpx.AsyncClient, method: str
) -> None:
    assert (await visitor.request(method, "/login")).status_code == 401
    assert (await visitor.post("/logout")).status_code == 401


async def test_a_form_too_long_to_be_one_is_refused(visitor: httpx.AsyncClient) -> None:
    assert (await log_in(visitor, "x" * 20_000)).status_code == 413


async def test_logging_out_ends_every_session_of_the_account_and_of_no_other(
    visitor: httpx.AsyncClient,
) -> None:
    await log_in(visitor)
    copied = visitor.cookies["workbench_session_7860"]
    visitor.cookies.clear()
    await log_in(visitor, "bob")
    others = visitor.cookies["workbench_session_7860"]

    async def status(cookie: str) -> int:
        visitor.cookies.clear()
        return (await visitor.get(MODELS, headers={"cookie": f"workbench_session_7860={cookie}"})).status_code

    assert [await status(copied), await status(others)] == [200, 200]
    answer = await visitor.post(
        "/logout", headers={"cookie": f"workbench_session_7860={copied}", "origin": ADDRESS}
    )
    assert (answer.status_code, "Max-Age=0" in answer.headers["set-cookie"]) == (303, True)
    assert [await status(copied), await status(others)] == [401, 200]


async def change_password(client: httpx.AsyncClient, old: str, new: str, again: str) -> httpx.Response:
    return await client.post(
        "/password", data={"old": old, "new": new, "again": again}, headers={"origin": ADDRESS}
    )


async def test_a_new_password_ends_every_session_but_the_one_that_asked(visitor: httpx.AsyncClient) -> None:
    await log_in(visitor)
    copied = visitor.cookies["workbench_session_7860"]
    assert (await change_password(visitor, PASSWORD, "another staple", "another staple")).status_code == 204
    assert (await visitor.get(MODELS)).status_code == 200
    visitor.cookies.clear()
    headers = {"cookie": f"workbench_session_7860={copied}"}
    assert (await visitor.get(MODELS, headers=headers)).status_code == 401
    assert (await log_in(visitor)).status_code == 401
    assert (await log_in(visitor, password="another staple")).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "status", "message"),
    [
        ("wrong password", "another staple", "another staple", 401, "The password is wrong"),
        (PASSWORD, "another staple", "another stapler", 400, "The new passwords differ"),
        (PASSWORD, "short", "short", 400, "at least"),
    ],
)
async def test_a_refused_new_password_says_why_and_changes_nothing(
    visitor: httpx.AsyncClient, old: str, new: str, again: str, status: int, message: str
) -> None:
    await log_in(visitor)
    answer = await change_password(visitor, old, new, again)
    assert (answer.status_code, message in answer.json()["error"]["message"]) == (status, True)
    assert (await visitor.get(MODELS)).status_code == 200
    visitor.cookies.clear()
    assert (await log_in(visitor)).status_code == 303


async def test_nobody_changes_a_password_without_a_session(visitor: httpx.AsyncClient) -> None:
    assert (await change_password(visitor, PASSWORD, "another staple", "another staple")).status_code == 401


async def test_a_disabled_account_is_out_at_its_next_request(
    visitor: httpx.AsyncClient, store: Store
) -> None:
    await log_in(visitor, "bob")
    assert (await visitor.get(MODELS)).status_code == 200
    await store.accounts.set_disabled("bob", True)
    assert (await visitor.get(MODELS)).status_code == 401
    assert (await log_in(visitor, "bob")).status_code == 401


async def test_with_accounts_a_proxied_request_is_judged_like_any_other(visitor: httpx.AsyncClient) -> None:
    headers = {"x-forwarded-for": "203.0.113.1", "authorization": f"Bearer {KEY}"}
    assert (await visitor.get(MODELS, headers=headers)).status_code == 200


class TestTheSecret:
    def test_is_made_once_and_for_its_owner_alone(self, tmp_path: Path) -> None:
        made = session_secret(tmp_path / "home")
        assert session_secret(tmp_path / "home") == made
        assert (tmp_path / "home" / FILE_NAME).stat().st_mode & 0o777 == 0o600

    def test_a_damaged_one_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"short")
        with pytest.raises(ConfigurationError, match="Delete it"):
            session_secret(tmp_path)
