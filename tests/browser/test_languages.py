"""The page in the language of its reader's browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import COMPOSER, DESKTOP, PATIENCE_MS, DemoSite, send
from tests.browser.demo import Stage
from tests.browser.settling import settle, watch
from tests.browser.test_look import axe_violations

pytestmark = pytest.mark.browser

PageIn = Callable[[str], Page]


@pytest.fixture
def page_in(browser: Browser, site: DemoSite, stage: Stage) -> Iterator[PageIn]:
    with ExitStack() as stack:

        def opened(locale: str) -> Page:
            size = {"width": DESKTOP[0], "height": DESKTOP[1]}
            context = browser.new_context(viewport=size, locale=locale)  # type: ignore[arg-type]
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            watch(context)
            page = context.new_page()
            page.goto(site.address)
            page.wait_for_selector(".wb-state-ready", state="attached")
            settle(page)
            return page

        yield opened


def test_a_german_reads_german(page_in: PageIn) -> None:
    page = page_in("de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator('.wb-rail [data-page="compare"]')).to_have_text("Vergleichen")
    expect(page.locator("#ui-temperature")).to_contain_text("Temperatur")
    expect(page.locator("#wb-presets summary")).to_have_text("Voreinstellung: Standard")
    expect(page.locator(COMPOSER)).to_have_attribute("placeholder", "Etwas fragen")
    expect(page.locator(".wb-empty h2")).to_have_text("Was möchten Sie herausfinden?")
    send(page, "Copy")
    expect(page.locator(".wb-foot")).to_contain_text("Kopieren")
    expect(page.locator(".wb-foot .wb-finish")).to_have_attribute(
        "title", "Das Modell hat seine Antwort beendet."
    )
    expect(page.locator("#wb-thread .user").last).to_have_text("Copy")
    assert axe_violations(page) == []


def test_a_page_in_german_does_what_it_does_in_english(page_in: PageIn) -> None:
    page = page_in("de-DE")
    page.evaluate("wb.openPage('home')")
    expect(page.locator("#page-home")).to_contain_text("In diesem Moment")
    page.evaluate("wb.openPage('serverless')")
    page.locator('#wb-view input[value="API"]').click()
    expect(page.locator("#api-kind")).to_be_visible()
    expect(page.locator("#wb-editor")).to_contain_text("Kopieren")


@pytest.mark.parametrize("locale", ["en-US", "fr-FR"])
def test_everybody_else_reads_english_and_is_sent_no_other_texts(page_in: PageIn, locale: str) -> None:
    page = page_in(locale)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator('.wb-rail [data-page="compare"]')).to_have_text("Compare")
    expect(page.locator("#ui-temperature")).to_contain_text("Temperature")
    assert not page.evaluate("window.gradio_config.i18n_translations")
