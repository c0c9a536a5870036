from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


def test_the_docs_say_what_the_numbers_mean_and_lead_to_code_that_runs(open_page: OpenPage) -> None:
    page = open_page()
    page.click("[data-page=docs]")
    docs = page.locator(".wb-docs")
    expect(docs).to_contain_text("Time to first token")
    expect(docs).to_contain_text(f"{page.url.split('#')[0]}openai/v1")
    docs.get_by_text("Code that runs as it is").click()
    expect(page.locator("#api-code code")).to_contain_text("openai")
