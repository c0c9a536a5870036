from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.demo import SMALL
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_home_shows_the_models_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_page(size, dark=dark)
    page.evaluate("() => wb.openPage('home')")
    expect(page.locator(".wb-cards")).to_contain_text(SMALL)
    expect(page.locator(".wb-cards")).to_contain_text("places in use")
    shoot(page, f"home-{window}-{scheme}")
    assert axe_violations(page) == []
    assert not is_wider_than_its_window(page)


def test_the_guide_leads_to_the_pages(open_page: OpenPage) -> None:
    page = open_page(anchor="#home")
    page.click(".wb-steps a:has-text('Get a verdict')")
    expect(page.locator("#wb-evaluate-run")).to_be_visible()
    assert page.locator("[data-page=evaluate]").get_attribute("aria-current") == "page"
    expect(page).to_have_title("Evaluate · Workbench")
    page.click("[data-page=home]")
    page.click(".wb-steps a:has-text('Call it from your code')")
    expect(page.locator("#api-make-key")).to_be_visible()
