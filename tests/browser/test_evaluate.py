"""The Evaluate page in a browser: three steps, a run that is watched, verdicts that are opened, compared, deleted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, OpenPage
from tests.browser.demo import Stage
from tests.browser.settling import settle
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot

pytestmark = pytest.mark.browser

LONG_MS = 120_000
"""How long a run of a few items may take where other things run as well."""
OWN = "prompt,expected\nSay it,Hello\nSay it again,Hello\nSay something else,Goodbye\n"


def open_evaluate(open_page: OpenPage, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
    page = open_page(size, dark=dark)
    page.evaluate("() => wb.openPage('evaluate')")
    page.wait_for_selector("#wb-evaluate-run")
    settle(page)
    return page


def fill(page: Page, name: str, value: str) -> None:
    box = page.locator(f"#wb-evaluate-{name} :is(input, textarea)").first
    box.fill(value)
    box.press("Tab")


def paste(page: Page) -> None:
    page.click("#wb-evaluate-own > button")
    page.fill("#wb-evaluate-paste textarea", OWN)
    page.click("#wb-evaluate-use-paste")
    expect(page.locator("#wb-evaluate-preview")).to_contain_text("3")
    expect(page.locator("#wb-evaluate-preview")).to_contain_text("Say it again")


def ask_own(page: Page) -> None:
    """Three questions of one's own, without load or built-in sets."""
    for label in page.locator("#wb-evaluate-sets label").all():
        label.locator("input").uncheck()
    paste(page)
    page.click("#wb-evaluate-shape label:has-text('None')")


def run(page: Page) -> None:
    """Runs what the form asks for until its verdict is chosen in the list of those there are."""
    chosen = page.locator("#wb-evaluate-past input")
    before = chosen.input_value()
    page.click("#wb-evaluate-run")
    expect(chosen).not_to_have_value(before, timeout=LONG_MS)
    expect(page.locator("#wb-evaluate-cancel")).to_be_hidden()


def test_own_questions_become_a_verdict_and_two_runs_are_compared(open_page: OpenPage) -> None:
    page = open_evaluate(open_page)
    ask_own(page)
    run(page)
    report = page.frame_locator("iframe.wb-report")
    expect(report.locator("h2", has_text="Requirements")).to_be_visible()
    expect(report.locator("body")).to_contain_text("67 %")
    run(page)
    page.click("#wb-evaluate-compare > button")
    page.click("#wb-evaluate-earlier input")
    page.get_by_role("option").last.click()
    expect(page.locator("#wb-evaluate-comparison")).to_contain_text("Nothing got worse beyond chance")
    expect(page.locator("#wb-evaluate-comparison")).to_contain_text("no change shown")


def test_a_cancelled_run_is_kept_and_goes_on(open_page: OpenPage, stage: Stage) -> None:
    page = open_evaluate(open_page)
    stage.token_seconds = 60.0
    ask_own(page)
    page.click("#wb-evaluate-run")
    expect(page.locator("#wb-evaluate-notice")).to_contain_text("items")
    page.click("#wb-evaluate-cancel")
    expect(page.locator("#wb-evaluate-cancel")).to_be_hidden(timeout=LONG_MS)
    verdict = page.frame_locator("iframe.wb-report").locator("body")
    expect(verdict).to_contain_text("cut short")
    stage.token_seconds = 0.01
    page.click("#wb-evaluate-resume")
    expect(verdict).not_to_contain_text("cut short", timeout=LONG_MS)
    expect(page.locator("#wb-evaluate-cancel")).to_be_hidden()
    expect(page.locator("#wb-evaluate-resume")).to_be_hidden()


def test_deleting_asks_first(open_page: OpenPage) -> None:
    page = open_evaluate(open_page)
    ask_own(page)
    run(page)
    chosen = page.locator("#wb-evaluate-past input")
    before = chosen.input_value()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#wb-evaluate-delete")
    expect(chosen).to_have_value(before)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#wb-evaluate-delete")
    expect(chosen).not_to_have_value(before)


def test_what_is_missing_is_said(open_page: OpenPage) -> None:
    page = open_evaluate(open_page)
    fill(page, "rate", "often")
    page.click("#wb-evaluate-run")
    expect(page.locator("#wb-evaluate-notice")).to_contain_text("a rate is written like")


def test_a_gpus_price_can_be_put_in(open_page: OpenPage) -> None:
    page = open_evaluate(open_page)
    page.click("#wb-evaluate-prices > button")
    expect(page.locator("#wb-evaluate-gpu-about")).to_contain_text("Price:")
    fill(page, "gpu-price", "0.07")
    page.click("#wb-evaluate-save-price")
    expect(page.locator("#wb-evaluate-gpu-about")).to_contain_text("put in on this server")


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_evaluate(open_page, size, dark=dark)
    page.click("#wb-evaluate-shape label:has-text('Find the limit')")
    expect(page.locator("#wb-evaluate-up-to")).to_be_visible()
    paste(page)
    shoot(page, f"evaluate-{window}-{scheme}")
    assert axe_violations(page) == []
    assert not is_wider_than_its_window(page)
