"""The page in a browser on the other side of a proxy, under a path prefix, after logging in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import COMPOSER, PATIENCE_MS, choose_view, send
from tests.proxied import PASSWORD, Proxied

pytestmark = pytest.mark.browser


def test_a_chat_streams_to_whom_has_logged_in_and_its_code_names_the_public_address(
    browser: Browser, proxied: Proxied
) -> None:
    """The answer lasts for minutes: its first words are only seen if nothing on the way keeps them back."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    try:
        page.goto(f"{proxied.url}/")
        page.fill("input[name=name]", "admin")
        page.fill("input[name=password]", PASSWORD)
        failed.clear()
        page.click("button")
        page.wait_for_selector(COMPOSER)
        page.wait_for_selector(".wb-state-ready")
        send(page, "go")
        expect(page.locator("#wb-stop")).to_be_visible()
        expect(page.locator(".bot").last).to_contain_text("word word")
        expect(page.locator("#wb-stop")).to_be_visible()
        page.click("#wb-stop")
        choose_view(page, "API")
        expect(page.locator("code[data-file]").first).to_contain_text(f"{proxied.url}/openai/v1")
        assert [url for url in failed if not url.endswith("/manifest.json")] == []
    finally:
        context.close()
