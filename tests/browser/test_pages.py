"""Every page in the sidebar, as it opens: accessible, inside its window, and pictured."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.settling import settle
from tests.browser.test_look import SCHEMES, axe_violations, is_wider_than_its_window, shoot

pytestmark = pytest.mark.browser

CONTROLS_WITHOUT_A_NAME = """
() => [...document.querySelectorAll("button, a[href], input, textarea, select")]
  .filter((control) => control.offsetParent && !control.closest("[aria-hidden=true]"))
  .filter((control) => ![control.getAttribute("aria-label"), control.getAttribute("aria-labelledby"), control.title,
                         control.textContent, control.placeholder, control.labels?.[0]?.textContent]
    .some((name) => name?.trim()))
  .map((control) => control.outerHTML.slice(0, 160))
"""


def pages_of(page: Page) -> list[str]:
    names: list[str] = page.locator("[data-page]").evaluate_all(
        "links => links.map(link => link.dataset.page)"
    )
    return names


@pytest.mark.parametrize(("dark", "scheme"), SCHEMES)
@pytest.mark.parametrize(("size", "window"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_every_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_page(size, dark=dark)
    found: list[str] = []
    for name in pages_of(page):
        page.evaluate("name => wb.openPage(name)", name)
        page.wait_for_selector(f"#page-{name} .wb-header")
        settle(page)
        shoot(page, f"page-{name}-{window}-{scheme}")
        found += [f"{name}: {violation}" for violation in axe_violations(page)]
        found += [f"{name}: no name: {control}" for control in page.evaluate(CONTROLS_WITHOUT_A_NAME)]
        if is_wider_than_its_window(page):
            found.append(f"{name}: wider than its window")
    assert found == []


def test_the_keyboard_reaches_every_page_and_shows_where_it_is(page: Page) -> None:
    page.keyboard.press("Escape")
    page.focus(".wb-skip")
    seen: list[str] = []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "() => [document.activeElement.dataset.page ?? '', getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name:
            seen.append(name)
            assert outline == "solid"
    assert seen == pages_of(page)


def test_motion_is_reduced_where_people_ask_for_it(open_page: OpenPage) -> None:
    page = open_page()
    page.emulate_media(reduced_motion="reduce")
    seconds = page.evaluate("() => getComputedStyle(document.querySelector('#wb-pages')).transitionDuration")
    assert float(seconds.removesuffix("s")) <= 0.001
