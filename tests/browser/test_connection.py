"""What a page says when its server is gone, and when another one came in its place."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import COMPOSER, SCRIPTS_ARE_THERE, send
from tests.browser.demo import Stage, serve

pytestmark = pytest.mark.browser

BAR = ".wb-connection"


def visit(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function(SCRIPTS_ARE_THERE)
    page.wait_for_selector(".wb-state-ready")
    return page


def test_a_page_whose_server_was_started_again_says_what_is_lost(browser: Browser, tmp_path: Path) -> None:
    with serve(Stage(), tmp_path / "first") as address:
        page = visit(browser, address)
        send(page, "Hello")
        expect(page.locator(".wb-finish")).to_have_text("Finished")
    page.click("[data-page=home]")
    expect(page.locator(BAR)).to_contain_text("The server does not answer")
    with serve(Stage(), tmp_path / "second", port=urlsplit(address).port or 0):
        expect(page.locator(BAR)).to_contain_text("session is over")
        page.click("[data-page=serverless]")
        expect(page.locator("#wb-thread")).to_contain_text("How can I help")
        page.click(f"{BAR} button")
        page.wait_for_selector(COMPOSER)
        expect(page.locator(BAR)).to_have_count(0)
        page.close()
