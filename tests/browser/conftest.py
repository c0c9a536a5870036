"""A real Chromium over the whole site. Skipped, with the command that cures it, where there is no Chromium."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.demo import Stage, serve
from tests.browser.settling import settle, watch

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESKTOP, PHONE = (1440, 900), (390, 844)
COMPOSER = "#wb-message textarea"
PATIENCE_MS = 60_000
"""How long an action or an expectation waits: long enough for a machine that does other things as well."""

SCRIPTS_ARE_THERE = "() => window.wb?.openPage && window.wb.changePassword"
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
    """The site's stage, back at its ordinary speed and without scripts; no answer of an earlier test runs on it."""
    site.stage.token_seconds = 1 / 100
    site.stage.may_load.set()
    site.stage.scripts.clear()
    until(lambda: site.stage.running == 0, "the answers of the test before end")
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
                contexts[size, dark] = context = browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    color_scheme="dark" if dark else "light",
                    reduced_motion="reduce",  # what is half way in is neither clickable nor legible
                    permissions=["clipboard-read", "clipboard-write"],
                )
                context.set_default_timeout(PATIENCE_MS)
                watch(context)
                # The browser's own frame around its windows is made anew where none is open, at every page's cost.
                context.new_page()
            page = contexts[size, dark].new_page()
            stack.callback(page.close)
            page.goto(site.address + anchor)
            _until_built(page, ".wb-rail" if anchor else ".wb-state-ready")
            return page

        yield opened


def _until_built(page: Page, part: str) -> None:
    """Returns once the page has `part`, its handlers are bound and what it asked for on opening is there."""
    page.wait_for_function(SCRIPTS_ARE_THERE)
    page.wait_for_selector(part, state="attached")
    settle(page)


def reload(page: Page) -> None:
    """Loads the page anew and waits as `open_page` does."""
    page.reload()
    _until_built(page, ".wb-state-ready")


def until(is_so: Callable[[], bool], what: str) -> None:
    """Returns once it is so on the server. Raises: AssertionError after PATIENCE_MS."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


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


# Its label says so for a moment only: whoever looks from outside may come too late.
_EMPTY_AND_WATCH = """
async (button) => {
  await navigator.clipboard.writeText("");
  window.saidCopied = false;
  new MutationObserver(() => {
    window.saidCopied ||= document.querySelector(button)?.textContent.includes("Copied");
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}
"""


def copied(page: Page, button: str) -> str:
    """What one of our copy buttons puts on the clipboard; it has said so, too."""
    page.evaluate(_EMPTY_AND_WATCH, button)
    page.click(button)
    page.wait_for_function("async () => window.saidCopied && await navigator.clipboard.readText() !== ''")
    text: str = page.evaluate("() => navigator.clipboard.readText()")
    return text


def choose_view(page: Page, view: str) -> None:
    """Clicks UI or API."""
    page.click(f"#wb-view label:has-text('{view}')")
