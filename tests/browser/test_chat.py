from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COMPOSER, OpenPage, ask, copied, reload, send, until
from tests.browser.demo import SMALL, Stage
from tests.browser.settling import settle
from workbench.backends.scripted import Script
from workbench.core.errors import RateLimited

pytestmark = pytest.mark.browser


def thread_text(page: Page) -> str:
    return page.inner_text("#wb-thread")


def until_idle(stage: Stage) -> None:
    until(lambda: stage.running == 0, "no answer runs on the server")


def test_enter_sends_and_the_answer_comes_with_its_numbers(page: Page) -> None:
    send(page, "Hello there")
    expect(page.locator("#wb-thread .user")).to_have_text("Hello there")
    expect(page.locator(".wb-foot")).to_contain_text("tokens/s")
    assert page.input_value(COMPOSER) == ""
    assert "Hello! How can I help you today?" in thread_text(page)
    foot = page.inner_text(".wb-foot")
    for fact in ("TTFT", "2 in", "7 out", "credits", "Finished"):
        assert fact in foot


def test_shift_enter_breaks_the_line_and_sends_nothing(page: Page) -> None:
    page.fill(COMPOSER, "first")
    page.press(COMPOSER, "Shift+Enter")
    page.type(COMPOSER, "second")
    assert page.input_value(COMPOSER) == "first\nsecond"
    assert page.locator("#wb-thread .user").count() == 0


def test_a_blank_message_is_not_sent(page: Page, stage: Stage) -> None:
    answered = len(stage.backends[SMALL].calls)
    send(page, "   ")
    settle(page)
    assert page.locator("#wb-thread .user").count() == 0
    assert len(stage.backends[SMALL].calls) == answered


def test_escape_stops_the_answer_keeps_its_text_and_frees_the_place(page: Page, stage: Stage) -> None:
    send(page, "a long one")
    expect(page.locator("#wb-thread .bot")).to_contain_text("word word")
    assert stage.running == 1
    page.keyboard.press("Escape")
    expect(page.locator(".wb-finish")).to_have_text("Stopped")
    until_idle(stage)
    assert "word word" in thread_text(page)
    expect(page.locator("#wb-send")).to_be_visible()


def test_the_stop_button_stops(page: Page, stage: Stage) -> None:
    send(page, "a long one")
    page.click("#wb-stop")
    until_idle(stage)
    expect(page.locator("#wb-send")).to_be_visible()


def test_a_closed_tab_frees_the_place(page: Page, open_page: OpenPage, stage: Stage) -> None:
    other = open_page()
    send(other, "a long one")
    expect(other.locator("#wb-thread .bot")).to_contain_text("word")
    assert stage.running == 1
    other.close()
    until_idle(stage)


def test_a_new_chat_while_an_answer_runs_ends_and_forgets_it(page: Page, stage: Stage) -> None:
    send(page, "a long one")
    expect(page.locator("#wb-thread .bot")).to_contain_text("word")
    page.click("#wb-reset")
    until_idle(stage)
    expect(page.locator(".wb-empty")).to_be_visible()
    expect(page.locator("#wb-send")).to_be_visible()
    settle(page)
    assert page.locator("#wb-thread .user").count() == 0


def test_a_refresh_forgets(page: Page) -> None:
    ask(page, "Remember this")
    reload(page)
    expect(page.locator(".wb-empty")).to_be_visible()
    assert "Remember this" not in page.inner_text("body")
    assert "Remember" not in page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")


def test_a_stopped_answer_can_be_continued(page: Page, stage: Stage) -> None:
    send(page, "a long one")
    expect(page.locator("#wb-thread .bot")).to_contain_text("word")
    page.click("#wb-stop")
    calls = stage.backends[SMALL].calls
    answered = len(calls)
    page.click("#wb-continue")
    until(lambda: len(calls) > answered, "the answer goes on")
    page.click("#wb-stop")
    until_idle(stage)
    prompt = calls[-1].request.prompt
    assert prompt.continue_final_message  # type: ignore[union-attr]
    assert not prompt.add_generation_prompt  # type: ignore[union-attr]


def test_an_edited_message_is_answered_anew_and_what_followed_is_dropped(page: Page) -> None:
    ask(page, "First question")
    ask(page, "Second question")
    page.hover("#wb-thread .user >> nth=0")
    page.click("[aria-label=Edit] >> nth=0")
    page.fill(".edit-textarea", "Another question")
    page.click("[aria-label=Submit]")
    expect(page.locator("#wb-thread .user")).to_have_count(1)
    expect(page.locator("#wb-thread .user")).to_have_text("Another question")
    expect(page.locator(".wb-foot")).to_have_count(1)


def test_regenerating_asks_the_same_conversation_again(page: Page, stage: Stage) -> None:
    ask(page, "Say it twice")
    stage.scripts.append(Script("Said again."))
    page.click("#wb-again")
    expect(page.locator("#wb-thread .bot")).to_contain_text("Said again.")
    expect(page.locator("#wb-thread .user")).to_have_count(1)


def test_a_refused_message_returns_to_the_composer_with_the_next_step(page: Page, stage: Stage) -> None:
    stage.scripts.append(
        Script("", error=RateLimited("Concurrent request limit reached, please try again later"))
    )
    send(page, "Not lost")
    expect(page.locator("#wb-notice .wb-busy")).to_contain_text("All places are taken")
    expect(page.locator(COMPOSER)).to_have_value("Not lost")
    expect(page.locator("#wb-thread .user")).to_have_count(0)
    ask(page, "Not lost")
    expect(page.locator("#wb-notice .wb-notice")).to_have_count(0)


def test_an_answer_that_fails_in_the_middle_keeps_its_text(page: Page, stage: Stage) -> None:
    stage.scripts.append(Script("Half of it", error=RateLimited("No more")))
    send(page, "Go on")
    expect(page.locator("#wb-notice .wb-notice")).to_be_visible()
    expect(page.locator("#wb-thread .bot")).to_contain_text("Half of it")
    expect(page.locator(".wb-finish")).to_have_text("Failed")


def test_reasoning_is_folded_beneath_its_own_title(page: Page, stage: Stage) -> None:
    stage.scripts.append(Script("It is 42.", reasoning="Counting <b>to</b> forty-two"))
    ask(page, "Think")
    fold = page.locator("details.wb-reasoning")
    assert fold.get_attribute("open") is None
    fold.locator("summary").click()
    expect(fold).to_contain_text("Counting <b>to</b> forty-two")


def test_an_example_of_the_empty_page_is_sent(page: Page) -> None:
    page.click("#wb-thread .example >> nth=0")
    expect(page.locator("#wb-thread .user")).to_contain_text("why the sky is blue")
    expect(page.locator(".wb-foot")).to_be_visible()


def test_slash_focuses_the_message_box(page: Page) -> None:
    page.click("#wb-model-header")
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.matches('#wb-message textarea')")
    assert page.input_value(COMPOSER) == ""


def test_a_copied_answer_is_the_markdown_the_model_wrote(page: Page, stage: Stage) -> None:
    stage.scripts.append(Script("**Bold** and `code`", reasoning="Let me see"))
    ask(page, "Hello")
    assert copied(page, ".wb-copy") == "**Bold** and `code`"


def test_math_is_set_tables_are_tables_and_code_is_copied(page: Page, stage: Stage) -> None:
    stage.scripts.append(
        Script(
            "Inline \\(a^2\\) and\n\n$$\\frac{1}{2}$$\n\n```python\nprint('hi')\n```\n\n| a |\n| --- |\n| b |\n"
        )
    )
    ask(page, "Show me")
    expect(page.locator("#wb-thread .katex-html")).to_have_count(2)
    expect(page.locator("#wb-thread table td")).to_have_text("b")
    page.click("#wb-thread .copy_code_button")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).trim() === \"print('hi')\"")


def test_a_conversation_goes_into_a_file_and_comes_back(page: Page, tmp_path: Path) -> None:
    page.fill("#ui-system textarea", "Be brief.")
    ask(page, "First")
    ask(page, "Second")
    page.click("#wb-export summary")
    with page.expect_download() as download:
        page.click("[data-wb-export=json]")
    file = tmp_path / "conversation.json"
    download.value.save_as(file)
    reload(page)
    with page.expect_file_chooser() as chooser:
        page.click("#wb-import")
    chooser.value.set_files(file)
    expect(page.locator("#wb-thread .user")).to_have_text(["First", "Second"])
    expect(page.locator("#ui-system textarea")).to_have_value("Be brief.")
    expect(page.locator("#wb-context")).to_contain_text("of 4,096 tokens")
    ask(page, "Third")
    expect(page.locator("#wb-thread .user")).to_have_count(3)


_WATCH_SHIFTS = """
() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) window.shifts.push(shift.value);
  }).observe({ type: "layout-shift", buffered: false });
}
"""
GOOD_LAYOUT_SHIFT = 0.1
"""What web.dev calls a good Cumulative Layout Shift, of a page's whole life; one answer stays far below it."""


def test_nothing_jumps_while_an_answer_streams(page: Page) -> None:
    ask(page, "Why is the sky blue?")
    page.evaluate(_WATCH_SHIFTS)
    ask(page, "Why is the sky blue?")
    shifts: list[float] = page.evaluate("() => window.shifts")
    assert sum(shifts) < GOOD_LAYOUT_SHIFT / 2, shifts


def test_settings_without_a_slider_come_from_the_json_box(page: Page, stage: Stage) -> None:
    page.click("#ui-raw-drawer > button")
    page.fill("#ui-raw textarea", '{"seed": 7, "temprature": 1}')
    expect(page.locator("#ui-raw-drawer .wb-invalid")).to_contain_text("`temprature` is not set here")
    page.fill("#ui-raw textarea", '{"seed": 7, "temperature": 0}')
    expect(page.locator("#ui-raw-drawer .wb-valid")).to_contain_text("wins over Temperature")
    ask(page, "Hello")
    params = stage.backends[SMALL].calls[-1].request.params
    assert (params.seed, params.temperature, params.top_k) == (7, 0, 40)


def test_markup_in_an_answer_neither_runs_nor_fetches(page: Page, stage: Stage) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stage.scripts.append(
        Script(
            '<script>window.hit=1</script><img src=x onerror="window.hit=1"> ![p](https://evil.example/?q=1)'
        )
    )
    ask(page, "Attack")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.hit") is None
    assert page.evaluate("() => performance.getEntriesByType('resource').filter(e => e.responseStatus && "
                         "e.name.includes('evil.example')).length") == 0  # fmt: skip
