"""The arena in a browser: blind until the vote; and the prompts that try to break a model."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.test_compare import COMPOSER, open_compare
from tests.browser.test_look import axe_violations, is_wider_than_its_window, shoot

pytestmark = pytest.mark.browser


def open_arena(open_page: OpenPage, size: tuple[int, int] = DESKTOP) -> Page:
    page = open_compare(open_page, size)
    page.click("#wb-compare-blind")
    page.wait_for_selector("#wb-arena-ask")
    return page


def ask(page: Page, question: str) -> None:
    page.fill("#wb-arena-question textarea", question)
    page.click("#wb-arena-ask")
    expect(page.locator("#wb-arena-voting")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_vote_shows_the_names_and_the_standings(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = open_arena(open_page, size)
    ask(page, "Hello?")
    expect(page.locator("#wb-arena-left-answer")).to_contain_text("How can I help you")
    expect(page.locator(".wb-arena-name b")).to_have_count(0)
    shoot(page, f"arena-{size[0]}")
    assert axe_violations(page) == []
    assert not is_wider_than_its_window(page)
    page.click("#wb-arena-left")
    expect(page.locator(".wb-arena-name b")).to_have_count(2)
    expect(page.locator("#wb-arena-voting")).to_be_hidden()
    expect(page.locator("#wb-arena-standings")).to_contain_text("Win rate")
    page.click("#wb-arena-back")
    expect(page.locator(COMPOSER)).to_be_visible()


def test_a_trap_fills_the_composer_and_sends_nothing(open_page: OpenPage) -> None:
    page = open_compare(open_page)
    page.click("#wb-break-injection")
    expect(page.locator(COMPOSER)).to_have_value(re.compile("Ignore all instructions above"))
    expect(page.locator("#wb-panes .bot")).to_have_count(0)
