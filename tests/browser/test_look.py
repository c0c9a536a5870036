from __future__ import annotations

from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.browser.conftest import DESKTOP, PHONE, OpenPage, ask, choose_view, reload
from tests.browser.settling import settle

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parents[2] / ".artefacts" / "screenshots"
WINDOWS = [(DESKTOP, "desktop"), (PHONE, "phone")]
SCHEMES = [(False, "light"), (True, "dark")]
_TELLING = {("desktop", "light"), ("phone", "dark")}
LOOKS = [
    pytest.param(size, window, dark, scheme, marks=() if (window, scheme) in _TELLING else pytest.mark.slow)
    for size, window in WINDOWS
    for dark, scheme in SCHEMES
]
"""Every page as it opens is looked at in all four ways (test_pages); each one in use in two, the others take long."""


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def axe_violations(page: Page) -> list[str]:
    """axe-core's serious and critical findings, as `impact id: element`."""
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(script)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def is_wider_than_its_window(page: Page) -> bool:
    wide: bool = page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
    return wide


def is_error(message: ConsoleMessage) -> bool:
    """True but for the streams that a navigation aborts: the page that is left says so on its way out."""
    return message.type == "error" and "AbortError" not in message.text


@pytest.mark.parametrize(("dark", "scheme"), SCHEMES)
@pytest.mark.parametrize(("size", "window"), WINDOWS)
def test_every_state_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_page(size, dark=dark)
    name = f"serverless-{{}}-{window}-{scheme}"
    shoot(page, name.format("empty"))
    found = axe_violations(page)
    ask(page, "Why is the sky blue?")
    settle(page)
    shoot(page, name.format("chat"))
    found += axe_violations(page)
    if window == "phone":
        page.click("[data-wb=config]")
        settle(page)
        shoot(page, name.format("panel"))
        found += axe_violations(page)
    choose_view(page, "API")
    if window == "phone":
        page.keyboard.press("Escape")
        settle(page)
    page.click("text=Invalid API key?")
    shoot(page, name.format("api"))
    found += axe_violations(page)
    assert not found
    assert not is_wider_than_its_window(page)


def test_the_page_asks_no_other_host_and_logs_no_error(open_page: OpenPage) -> None:
    page = open_page()
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: errors.append(message.text) if is_error(message) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    # What the page that is left says of its cut streams is of no interest.
    page.on("framenavigated", lambda frame: errors.clear() if frame == page.main_frame else None)
    reload(page)
    ask(page, "Why is the sky blue?")
    choose_view(page, "API")
    assert hosts - {""} == {urlsplit(page.url).netloc}
    assert errors == []
