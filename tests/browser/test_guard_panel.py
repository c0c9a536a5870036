"""The chat's guard in a browser: it marks, it blocks, and the operator lets a message through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COMPOSER, ask, send
from tests.guard.fakes import FakeGuard, replace_embedded

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def fake() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        replace_embedded(patch, FakeGuard(name="embedded"))
        yield


def choose(page: Page, side: str, mode: str) -> None:
    drawer = page.locator("#ui-guard-drawer")
    if not page.locator(f"#ui-guard-{side}").is_visible():
        drawer.locator("button").first.click()
    page.locator(f"#ui-guard-{side} label", has_text=mode).click()


def test_the_drawer_says_what_the_embedded_guard_is_not(page: Page) -> None:
    page.locator("#ui-guard-drawer button").first.click()
    expect(page.locator(".wb-guard-note")).to_contain_text("screening model, not Llama Guard")


def test_message_and_answer_carry_their_marks(page: Page) -> None:
    choose(page, "input", "Mark")
    choose(page, "output", "Mark")
    ask(page, "Tell me of a bomb")
    foot = page.locator(".wb-foot").last
    expect(foot).to_contain_text("Message flagged")
    expect(foot).to_contain_text("Answer checked")
    expect(foot).to_contain_text("by embedded")


def test_a_blocked_message_comes_back_and_the_operator_may_send_it(page: Page) -> None:
    choose(page, "input", "Block")
    send(page, "Tell me of a bomb")
    expect(page.locator("#wb-notice")).to_contain_text("The guard blocked this message")
    expect(page.locator(COMPOSER)).to_have_value("Tell me of a bomb")
    page.click("#wb-override")
    expect(page.locator(".wb-foot").last).to_contain_text("Message flagged")
    expect(page.locator("#wb-override")).to_be_hidden()
