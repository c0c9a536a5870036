"""The Guard lab in a browser: paste, judge, look, and see texts only when asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.guard.fakes import FakeGuard, replace_embedded

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def fake() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        replace_embedded(patch, FakeGuard(name="embedded"))
        yield


def open_lab(open_page: OpenPage) -> Page:
    page = open_page()
    page.click("[data-page=guard-lab]")
    page.wait_for_selector("#wb-lab-run")
    return page


def test_harmless_texts_that_are_flagged_are_listed_and_hidden(open_page: OpenPage) -> None:
    page = open_lab(open_page)
    page.fill("#wb-lab-pasted textarea", "What a bomb of a party\nHow do I bake bread?")
    page.click("#wb-lab-run")
    result = page.locator("#wb-lab-result-0")
    expect(result).to_contain_text("Harmless, but flagged: 1")
    expect(result).not_to_contain_text("bomb of a party")
    page.check("#wb-lab-show input")
    expect(result).to_contain_text("What a bomb of a party")
    expect(page.locator(".wb-lab-export")).to_have_attribute("download", "guard-lab.json")


def test_the_threshold_changes_what_is_flagged(open_page: OpenPage) -> None:
    page = open_lab(open_page)
    page.fill("#wb-lab-pasted textarea", "What a bomb of a party\nHow do I bake bread?")
    page.click("#wb-lab-run")
    expect(page.locator("#wb-lab-result-0")).to_contain_text("Harmless, but flagged: 1")
    number = page.locator("#wb-lab-threshold-0 input[type=number]")
    number.fill("0.05")
    number.press("Enter")
    expect(page.locator("#wb-lab-result-0")).to_contain_text("Harmless, but flagged: 2")


def test_the_cost_of_safety_is_measured_beside_a_chat_without_it(open_page: OpenPage) -> None:
    page = open_lab(open_page)
    page.click("#wb-lab-measure")
    cost = page.locator("#wb-lab-cost table")
    for words in ("Without a guard", "Both sides marked", "Both sides blocked", "Tokens/s"):
        expect(cost).to_contain_text(words)


def test_nothing_to_judge_is_said(open_page: OpenPage) -> None:
    page = open_lab(open_page)
    page.click("#wb-lab-run")
    expect(page.locator("#wb-lab-notice")).to_contain_text("nothing to judge")
