from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, OpenPage, choose_view, until
from tests.browser.demo import SMALL, Stage
from tests.browser.settling import settle
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot
from workbench.backends.scripted import Script

pytestmark = pytest.mark.browser

COMPOSER = "#wb-compare-message textarea"


def open_compare(open_page: OpenPage, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
    page = open_page(size, dark=dark)
    page.evaluate("() => wb.openPage('compare')")
    page.wait_for_selector(COMPOSER)
    settle(page)
    return page


def ask_all(page: Page, text: str) -> None:
    answered = page.locator("#wb-panes .wb-foot").count()
    page.fill(COMPOSER, text)
    page.press(COMPOSER, "Enter")
    expect(page.locator("#wb-panes .wb-foot")).to_have_count(answered + 2, timeout=60_000)
    page.wait_for_selector("#wb-compare-send")


def test_one_message_is_answered_in_every_column_with_its_conditions(
    open_page: OpenPage, stage: Stage
) -> None:
    page = open_compare(open_page)
    stage.scripts += [
        Script("The red house", token_seconds=0.02),
        Script("The blue house", token_seconds=0.02),
    ]
    ask_all(page, "Describe it")
    expect(page.locator("#pane-0-thread .bot")).to_contain_text("The red house")
    expect(page.locator("#pane-1-thread .bot")).to_contain_text("The blue house")
    expect(page.locator("#wb-panes .wb-conditions")).to_have_text(["isolated", "isolated"])
    expect(page.locator(".wb-side-by-side tbody tr")).to_have_count(2)
    expect(page.locator(".wb-differences ins")).to_have_text("blue")
    expect(page.locator(".wb-differences del")).to_have_text("red")
    models = [stage.backends[name].calls[-1].request.model for name in (SMALL, f"{SMALL}:int8")]
    assert models == [SMALL, f"{SMALL}:int8"]


def test_all_at_once_runs_three_columns_beside_each_other(open_page: OpenPage, stage: Stage) -> None:
    page = open_compare(open_page)
    page.click("#wb-compare-count label:has-text('3')")
    page.click("#wb-compare-mode label:has-text('All at once')")
    expect(page.locator(".wb-pane-2")).to_be_visible()
    page.fill(COMPOSER, "a long one")
    page.press(COMPOSER, "Enter")
    expect(page.locator("#pane-1-thread .bot")).to_contain_text("word")
    until(lambda: stage.running >= 2, "columns are answered beside each other")
    page.keyboard.press("Escape")
    page.wait_for_selector("#wb-compare-send")
    expect(page.locator("#wb-panes .wb-conditions").first).to_have_text("contended by 3")
    until(lambda: stage.running == 0, "no answer runs on the server")


def test_a_comparison_is_kept_as_a_file_with_its_numbers(
    open_page: OpenPage, stage: Stage, tmp_path: Path
) -> None:
    page = open_compare(open_page)
    stage.scripts += [Script("The red house"), Script("The blue house")]
    ask_all(page, "Describe it")
    for kind in ("md", "json"):
        with page.expect_download() as download:
            page.click(f"[data-wb-export-comparison={kind}]")
        download.value.save_as(tmp_path / kind)
    text = (tmp_path / "md").read_text("utf-8")
    assert text.startswith(f"## Describe it\n\n### {SMALL}\n\nThe red house\n\n_isolated · TTFT")
    columns = json.loads((tmp_path / "json").read_text("utf-8"))["columns"]
    assert [column["turns"][0]["answer"] for column in columns] == ["The red house", "The blue house"]
    assert columns[0]["turns"][0]["numbers"]["conditions"] == "isolated"


def test_each_column_has_settings_of_its_own(open_page: OpenPage, stage: Stage) -> None:
    page = open_compare(open_page)
    page.click(".wb-pane-1 .wb-pane-settings > button")
    page.fill("#pane-1-temperature input[type=number]", "0.1")
    page.press("#pane-1-temperature input[type=number]", "Tab")
    ask_all(page, "why is the sky blue")
    assert stage.backends[SMALL].calls[-1].request.params.temperature == 0.7
    assert stage.backends[f"{SMALL}:int8"].calls[-1].request.params.temperature == 0.1


def test_the_first_columns_settings_are_given_to_all(open_page: OpenPage, stage: Stage) -> None:
    page = open_compare(open_page)
    page.click(".wb-pane-0 .wb-pane-settings > button")
    page.fill("#pane-0-system textarea", "Be brief.")
    page.fill("#pane-0-temperature input[type=number]", "0.2")
    page.press("#pane-0-temperature input[type=number]", "Tab")
    page.click("#wb-compare-spread")
    settle(page)
    ask_all(page, "Hello")
    request = stage.backends[f"{SMALL}:int8"].calls[-1].request
    assert request.params.temperature == 0.2
    assert request.prompt.messages[0].content == "Be brief."  # type: ignore[union-attr]


def test_the_models_that_were_compared_become_candidates_of_an_experiment(open_page: OpenPage) -> None:
    page = open_compare(open_page)
    page.click(".wb-pane-0 .wb-pane-settings > button")
    page.fill("#pane-0-system textarea", "Be brief.")
    page.click("#pane-1-model input")
    page.click("[role=option]:has-text('thinker')")
    page.click("#wb-compare-evaluate")
    expect(page.locator("#wb-evaluate-models")).to_contain_text("thinker")
    expect(page.locator("#wb-evaluate-system textarea")).to_have_value("")


def test_what_was_compared_is_listed_among_the_calls_of_the_tab(open_page: OpenPage, stage: Stage) -> None:
    page = open_compare(open_page)
    stage.scripts += [Script("One"), Script("Two")]
    ask_all(page, "Hello")
    page.click("[data-page=serverless]")
    choose_view(page, "API")
    expect(page.locator("#api-calls details")).to_have_count(2)
    expect(page.locator("#api-calls summary").first).to_contain_text("Compare · SmolLM2-135M-Instruct:int8")


def test_a_quantized_model_says_beside_its_speed_why(open_page: OpenPage) -> None:
    page = open_compare(open_page)
    ask_all(page, "Hello")
    expect(page.locator(".wb-pane-1 .wb-remark")).to_contain_text("a quarter of float32's weights")
    expect(page.locator(".wb-pane-0 .wb-remark")).to_have_count(0)


def test_the_address_opens_the_page_and_the_chat_is_still_there_on_the_way_back(open_page: OpenPage) -> None:
    page = open_page(anchor="#compare")
    page.wait_for_selector(COMPOSER)
    page.click("[data-page=serverless]")
    expect(page.locator("#wb-thread")).to_be_visible()


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_compare(open_page, size, dark=dark)
    ask_all(page, "Why is the sky blue?")
    settle(page)
    shoot(page, f"compare-{window}-{scheme}")
    assert axe_violations(page) == []
    assert not is_wider_than_its_window(page)
