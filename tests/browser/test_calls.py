"""The API view's calls: those of this tab open as code, those of the keys elsewhere are numbers."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DemoSite, ask, choose_view, copied, reload
from tests.browser.demo import SMALL, Stage
from tests.browser.test_views import CODE, choose, set_number
from tests.sites import KEY
from workbench.backends.scripted import Script

pytestmark = pytest.mark.browser

CALLS = "#api-calls details"


def test_what_the_chat_sent_is_listed_and_opens_as_code(page: Page, stage: Stage) -> None:
    stage.scripts.append(Script("An answer of the model"))
    ask(page, "What is 'quoted' and `ticked`?")
    choose_view(page, "API")
    expect(page.locator(CALLS)).to_have_count(1)
    expect(page.locator(f"{CALLS} summary")).to_contain_text("Chat · SmolLM2-135M-Instruct · 200")
    page.click(f"{CALLS} summary")
    expect(page.locator(CALLS)).to_contain_text("An answer of the model")
    page.click(f"{CALLS} .wb-text-button")
    expect(page.locator(CODE)).to_contain_text("'quoted' and `ticked`?")
    expect(page.locator(CODE)).to_contain_text("stream=True")
    expect(page.locator("#api-showing")).to_contain_text("from Chat")
    choose(page, "api-language", "Curl")
    expect(page.locator(CODE)).to_contain_text("ticked")
    page.click("[data-close-call]")
    expect(page.locator(CODE)).to_contain_text("Say hello in one sentence.")
    expect(page.locator("#api-showing")).to_be_hidden()


def test_a_changed_setting_closes_the_opened_call(page: Page) -> None:
    ask(page, "Hello")
    choose_view(page, "API")
    page.click(f"{CALLS} summary")
    page.click(f"{CALLS} .wb-text-button")
    expect(page.locator("#api-showing")).to_be_visible()
    set_number(page, "api-temperature", "0.2")
    expect(page.locator(CODE)).to_contain_text("temperature=0.2")
    expect(page.locator("#api-showing")).to_be_hidden()


def test_the_calls_are_in_the_tab_only_and_a_refresh_forgets_them(page: Page) -> None:
    ask(page, "Remember this")
    reload(page)
    choose_view(page, "API")
    expect(page.locator("#api-calls")).to_contain_text("None yet")
    assert "Remember" not in page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")


def test_calls_of_the_keys_from_elsewhere_are_numbers_without_content(page: Page, site: DemoSite) -> None:
    choose_view(page, "API")
    answer = httpx.post(
        f"{site.address}openai/v1/chat/completions",
        headers={"authorization": f"Bearer {KEY}"},
        json={"model": SMALL, "messages": [{"role": "user", "content": "a secret prompt"}]},
        timeout=30,
    )
    assert answer.status_code == 200
    expect(page.locator("#api-elsewhere tbody tr").first).to_contain_text("200")
    assert "secret" not in page.inner_text("body")


@pytest.mark.parametrize(("kind", "sign"), [("Completion", "completions.create"), ("guarded", "moderations")])
def test_the_other_kinds_of_calls_have_their_code(page: Page, kind: str, sign: str) -> None:
    choose_view(page, "API")
    choose(page, "api-kind", kind)
    expect(page.locator(CODE)).to_contain_text(sign)


def test_a_completion_runs_through_the_http_door_too(page: Page) -> None:
    choose_view(page, "API")
    choose(page, "api-kind", "Completion")
    page.click("#api-run")
    expect(page.locator("#api-run-result")).to_contain_text("agree: the same")
    expect(page.locator(f"{CALLS} summary")).to_contain_text("Run & compare")


def test_a_guarded_pipeline_says_why_it_cannot_be_compared(page: Page) -> None:
    choose_view(page, "API")
    choose(page, "api-kind", "guarded")
    page.click("#api-run")
    expect(page.locator("#api-run-result")).to_contain_text("choose Chat or Completion")


def test_what_the_guard_is_to_do_is_in_the_code_and_in_the_call(page: Page) -> None:
    choose_view(page, "API")
    expect(page.locator(CODE)).to_contain_text("OpenAI")
    assert "moderation" not in page.inner_text(CODE)
    page.click("#api-guard-drawer > button")
    page.click("#api-guard-input label:has-text('Block')")
    expect(page.locator(CODE)).to_contain_text('moderation={"model": "embedded"')
    choose(page, "api-language", "Curl")
    expect(page.locator(CODE)).to_contain_text("curl -sS")
    expect(page.locator(CODE)).to_contain_text('"input": {"mode": "block"}')
    page.fill("#api-guard-threshold input, #api-guard-threshold textarea", "0.25")
    expect(page.locator(CODE)).to_contain_text('"threshold": 0.25')


def test_the_readers_own_key_goes_into_the_code_and_never_to_the_server(page: Page) -> None:
    key = "wb-my-own-key_123"
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.post_data or ""))
    choose_view(page, "API")
    page.check("#api-has-key input")
    expect(page.locator("[data-own-key]")).to_contain_text("do not commit")
    page.fill("#api-own-key", "sk-somebody-else")
    expect(page.locator("[data-own-key-fault]")).to_be_visible()
    page.fill("#api-own-key", key)
    expect(page.locator(CODE)).to_contain_text(f'api_key="{key}"')
    assert key in copied(page, "[data-wb-copy]")
    choose(page, "api-language", "JavaScript")
    expect(page.locator(CODE)).to_contain_text(key)
    page.uncheck("#api-has-key input")
    expect(page.locator(CODE)).to_contain_text("WORKBENCH_API_KEY")
    assert key not in page.inner_text("body")
    assert not [body for body in posted if key in body]


def test_the_code_is_downloaded_under_a_name_that_runs(page: Page) -> None:
    choose_view(page, "API")
    expect(page.locator(CODE)).to_contain_text("OpenAI")
    with page.expect_download() as download:
        page.click("[data-wb-download]")
    assert download.value.suggested_filename == "chat.py"
    assert "from openai import OpenAI" in download.value.path().read_text("utf-8")
