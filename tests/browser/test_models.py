"""The Models page in a browser: what fits, adding a model of this machine, talking to it, and taking it away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, ask
from tests.browser.demo import Stage
from tests.browser.settling import settle
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot
from tests.engine.tiny_models import tiny_model

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model."""
    folder = tmp_path_factory.mktemp("models") / "mine"
    tiny_model("qwen3").save_pretrained(folder)
    return folder


def open_models(page: Page) -> Page:
    page.evaluate("location.hash = 'models'")
    expect(page.locator("#models-fitting")).to_contain_text("SmolLM2-360M-Instruct")
    settle(page)
    return page


def fill_source(page: Page, source: str) -> None:
    page.fill("#models-source :is(input, textarea)", source)


def test_a_folder_is_checked_added_talked_to_and_removed(
    open_page: OpenPage, stage: Stage, mine: Path
) -> None:
    stage.may_load.clear()
    page = open_models(open_page())
    fill_source(page, str(mine))
    page.click("#models-check")
    expect(page.locator("#models-found")).to_contain_text("qwen3 is one")
    page.click("#models-add")
    expect(page.locator("#models-progress")).to_contain_text("Loading the model")
    stage.may_load.set()
    expect(page.locator("#models-progress")).to_contain_text("mine is ready")
    page.click("#models-chat")
    expect(page.locator("#wb-model-header h1")).to_have_text("mine")
    ask(page, "Hello")
    open_models(page)
    expect(page.locator("#models-table")).to_contain_text("added on this page")
    page.click("#models-chosen input")
    page.click("ul[role=listbox] li:has-text('mine')")
    page.click("#models-remove")
    expect(page.locator("#models-notice")).to_contain_text("mine is removed")
    page.evaluate("location.hash = 'serverless'")
    expect(page.locator("#wb-model-header h1")).not_to_have_text("mine")


def test_a_model_that_is_nowhere_is_an_answer_and_not_an_entry(open_page: OpenPage) -> None:
    page = open_models(open_page())
    fill_source(page, "/no/such/folder")
    page.click("#models-add")
    expect(page.locator("#models-progress")).to_contain_text("folder or GGUF file that is on this machine")


def test_the_list_of_what_fits_fills_the_form(open_page: OpenPage) -> None:
    page = open_models(open_page())
    page.click("#models-offer input")
    page.click("ul[role=listbox] li:has-text('Qwen2.5-0.5B-Instruct in int8')")
    expect(page.locator("#models-source :is(input, textarea)")).to_have_value("Qwen/Qwen2.5-0.5B-Instruct")
    expect(page.locator("#models-quantization input:checked")).to_have_value("int8")


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, mine: Path, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_models(open_page(size, dark=dark))
    fill_source(page, str(mine))
    page.click("#models-check")
    expect(page.locator("#models-found")).to_contain_text("qwen3 is one")
    shoot(page, f"models-form-{window}-{scheme}")
    found = axe_violations(page)
    page.locator("#models-fitting").scroll_into_view_if_needed()
    shoot(page, f"models-fitting-{window}-{scheme}")
    assert not found
    assert not is_wider_than_its_window(page)
