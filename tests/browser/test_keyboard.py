"""The page without a mouse: keys that work everywhere, and what Escape closes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COMPOSER, PHONE, OpenPage, ask
from tests.browser.settling import settle
from tests.browser.test_look import axe_violations

pytestmark = pytest.mark.browser


def open_named(page: Page, name: str) -> None:
    page.evaluate("name => wb.openPage(name)", name)
    page.wait_for_selector(f"#page-{name} .wb-header")
    settle(page)


def test_ctrl_k_opens_the_list_of_models_on_every_page(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("[role=option]").first).to_be_visible()
    page.keyboard.press("Escape")
    for name, list_ in (
        ("compare", "#pane-0-model"),
        ("evaluate", "#wb-evaluate-models"),
        ("models", "#models-chosen"),
    ):
        open_named(page, name)
        page.keyboard.press("Control+k")
        expect(page.locator(f"{list_} input").first).to_be_focused()
        page.keyboard.press("Escape")
    open_named(page, "account")
    page.keyboard.press("Control+k")
    expect(page.locator("#wb-model input")).to_be_focused()
    expect(page.locator("[role=option]").first).to_be_visible()


def test_on_a_phone_ctrl_k_opens_the_drawer_that_has_the_list(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    page.keyboard.press("Control+k")
    expect(page.locator("#wb-model input")).to_be_focused()


def test_escape_closes_a_menu_and_gives_the_focus_back_before_it_stops_anything(page: Page) -> None:
    page.focus("#wb-presets summary")
    page.keyboard.press("Enter")
    expect(page.locator("#wb-presets [data-wb-preset]").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#wb-presets [data-wb-preset]").first).to_be_hidden()
    expect(page.locator("#wb-presets summary")).to_be_focused()


def test_a_question_mark_shows_the_keys_and_escape_puts_them_away(page: Page) -> None:
    page.fill(COMPOSER, "?")
    expect(page.locator("#wb-keys")).to_be_hidden()
    page.focus("[data-wb=keys]")
    page.keyboard.press("?")
    expect(page.locator("#wb-keys")).to_contain_text("Choose a model")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#wb-keys")).to_be_hidden()


def test_a_chat_is_had_without_a_mouse(page: Page) -> None:
    ask(page, "Hello")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("() => document.activeElement.matches('#wb-thread .wb-copy')"):
            break
    expect(page.locator("#wb-thread .wb-copy")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator(COMPOSER)).to_be_focused()
