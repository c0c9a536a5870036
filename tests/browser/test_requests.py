"""The Requests page in a browser: from the models' drop-down to an answered request."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.demo import SMALL
from tests.browser.settling import settle
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot
from workbench.ui.uploads import KINDS

pytestmark = pytest.mark.browser


def choose_model(page: Page, label: str) -> None:
    page.click("#wb-model input")
    page.click(f"ul[role=listbox] li:has-text('{label}')")


def open_requests(page: Page) -> Page:
    page.evaluate("location.hash = 'requests'")
    page.wait_for_selector("#request-send")
    settle(page)
    return page


def fill(page: Page, name: str, text: str) -> None:
    page.fill(f"#request-{name} :is(input, textarea)", text)


def send_request(page: Page, hub_id: str, description: str = "Summaries of German support tickets") -> None:
    fill(page, "hub", hub_id)
    fill(page, "email", "ada@example.org")
    fill(page, "description", description)
    page.click("#request-send")
    expect(page.locator("#request-notice")).to_contain_text("is sent")
    settle(page)  # the list has it, and shows it in full


def test_the_models_drop_down_leads_to_the_form_and_keeps_its_model(page: Page) -> None:
    choose_model(page, "+ Request a model")
    expect(page.locator("#request-send")).to_be_visible()
    page.evaluate("location.hash = 'serverless'")
    expect(page.locator("#wb-model input")).to_have_value(SMALL.rpartition("/")[2])
    expect(page.locator("#wb-model-header h1")).to_have_text(SMALL.rpartition("/")[2])


def test_a_request_is_sent_found_again_supported_and_answered(open_page: OpenPage) -> None:
    page = open_requests(open_page())
    send_request(page, "Qwen/Qwen3-8B")
    expect(page.locator("#requests-table")).to_contain_text("Qwen/Qwen3-8B")
    expect(page.locator("#request-description textarea")).to_have_value("")
    fill(page, "hub", "hf.co/qwen/qwen3-8b")
    expect(page.locator("#request-twins")).to_contain_text("made before")
    page.click("#request-support")
    expect(page.locator("#request-notice")).to_contain_text("Your name is on it")
    settle(page)
    page.fill("#requests-note textarea", "The licence allows it.")
    page.click("#requests-state label:has-text('Declined')")
    page.click("#requests-save")
    expect(page.locator("#requests-details")).to_contain_text("The licence allows it.")
    expect(page.locator("#requests-details .wb-badge")).to_have_text("declined")
    page.click("#requests-export")
    expect(page.locator("a[download='requests.csv']")).to_be_visible()


def test_a_form_without_an_address_keeps_what_was_typed(open_page: OpenPage) -> None:
    page = open_requests(open_page())
    fill(page, "description", "A model for tickets")
    page.click("#request-send")
    expect(page.locator("#request-notice")).to_contain_text("e-mail")
    expect(page.locator("#request-description textarea")).to_have_value("A model for tickets")


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_requests(open_page(size, dark=dark))
    send_request(page, f"some/model-{window}-{scheme}")
    fill(page, "hub", f"some/model-{window}-{scheme}")
    expect(page.locator("#request-twins")).to_contain_text("made before")
    expect(page.locator("#requests-details h3")).to_be_visible()
    shoot(page, f"requests-form-{window}-{scheme}")
    found = axe_violations(page)
    page.locator("#requests-admin").scroll_into_view_if_needed()
    shoot(page, f"requests-list-{window}-{scheme}")
    assert not found
    assert not is_wider_than_its_window(page)


def test_a_file_field_offers_the_kinds_that_are_taken(page: Page) -> None:
    fields = page.evaluate(
        "window.gradio_config.components.filter(part => part.type === 'file').map(part => part.props.file_types)"
    )
    assert len(fields) == 3
    assert all(set(kinds) <= KINDS for kinds in fields)
