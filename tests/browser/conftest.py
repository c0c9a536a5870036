"""A real Chromium over the whole site. Skipped, with the command that cures it, where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.demo import Stage, serve

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESKTOP, PHONE = (1440, 900), (390, 844)
COMPOSER = "#wb-message textarea"
PATIENCE_MS = 30_000
"""How long an expectation waits: long enough for a machine that does other things as well."""

SCRIPTS_ARE_THERE = "() => window.wb?.openPage && window.wb.askForKey"
"""The first and the last of our scripts have run: before that a test must not call what they define."""

OpenPage = Callable[..., Page]
"""Opens the site in a fresh browser profile: `open_page(size=PHONE, dark=True)`."""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The running site and the stage behind it."""

    address: str
    stage: Stage


def _chromium(playwright: Playwright) -> str:
    candidates = [os.environ.get("WORKBENCH_TEST_CHROMIUM", ""), *NAMES, playwright.chromium.executable_path]
    for candidate in candidates:
        if candidate and (found := shutil.which(candidate)):
            return found
    pytest.skip("No Chromium here. To run the browser tests: sudo apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: Playwright keeps an event loop running, beside which no async test can run."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_chromium(playwright), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    stage = Stage()
    with serve(stage, tmp_path_factory.mktemp("home")) as address:
        yield DemoSite(address, stage)


@pytest.fixture
def stage(site: DemoSite) -> Stage:
    """The site's stage, back at its ordinary speed and without scripts."""
    site.stage.token_seconds = 1 / 100
    site.stage.scripts.clear()
    return site.stage


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[dict[tuple[tuple[int, int], bool], BrowserContext]]:
    """Browser profiles by window size and colour scheme; kept for a file, so that its pages load from the cache."""
    made: dict[tuple[tuple[int, int], bool], BrowserContext] = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(
    browser: Browser,
    site: DemoSite,
    stage: Stage,
    contexts: dict[tuple[tuple[int, int], bool], BrowserContext],
) -> Iterator[OpenPage]:
    with ExitStack() as stack:

        def opened(size: tuple[int, int] = DESKTOP, *, dark: bool = False, anchor: str = "") -> Page:
            if (size, dark) not in contexts:
                contexts[size, dark] = browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    color_scheme="dark" if dark else "light",
                    permissions=["clipboard-read", "clipboard-write"],
                )
            page = contexts[size, dark].new_page()
            stack.callback(page.close)
            page.goto(site.address + anchor)
            page.wait_for_function(SCRIPTS_ARE_THERE)
            if not anchor:
                page.wait_for_selector(COMPOSER)
                page.wait_for_selector(".wb-state-ready")
            return page

        yield opened


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The page on a desktop, its model ready."""
    return open_page()


def send(page: Page, text: str) -> None:
    """Types a message and presses Enter."""
    page.fill(COMPOSER, text)
    page.press(COMPOSER, "Enter")


def ask(page: Page, text: str) -> None:
    """Sends a message and waits for the line of numbers under its answer."""
    answered = page.locator(".wb-foot").count()
    send(page, text)
    page.locator(".wb-foot").nth(answered).wait_for()
    page.wait_for_selector("#wb-send")


def choose_view(page: Page, view: str) -> None:
    """Clicks UI or API."""
    page.click(f"#wb-view label:has-text('{view}')")
