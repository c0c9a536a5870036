from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage, ask, choose_view, copied, reload, send
from tests.browser.demo import SMALL, THINKER, Stage
from tests.browser.settling import settle
from workbench.backends.scripted import Script
from workbench.core.chat import ToolCall

pytestmark = pytest.mark.browser

CODE = "#api-code code"


def number(page: Page, control: str) -> str:
    return page.input_value(f"#{control} input[type=number]")


def set_number(page: Page, control: str, value: str) -> None:
    page.fill(f"#{control} input[type=number]", value)
    page.press(f"#{control} input[type=number]", "Tab")


def choose(page: Page, control: str, option: str) -> None:
    page.click(f"#{control} input")
    page.click(f"[role=option]:has-text('{option}')")


def test_the_panel_has_every_setting_in_the_reference_order(page: Page) -> None:
    labels = page.locator("#wb-config [data-testid=block-info]:visible").all_inner_texts()
    assert [label.strip() for label in labels] == [
        "Region", "Model", "View", "System prompt", "Temperature", "Max tokens", "Top P", "Top K", "Stop",
        "Presence penalty", "Frequency penalty",
    ]  # fmt: skip
    starts = {name: number(page, f"ui-{name}") for name in ("temperature", "max-tokens", "top-p", "top-k",
                                                           "presence-penalty", "frequency-penalty")}  # fmt: skip
    assert list(starts.values()) == ["0.7", "256", "1", "40", "0.5", "0"]


def test_the_settings_reach_the_model(page: Page, stage: Stage) -> None:
    set_number(page, "ui-temperature", "0")
    set_number(page, "ui-max-tokens", "5")
    page.fill("#ui-system textarea", "Be brief.")
    page.fill("#ui-stop textarea", "END")
    send(page, "a long one")
    expect(page.locator(".wb-finish")).to_have_text("Max tokens reached")
    request = stage.backends[SMALL].calls[-1].request
    assert request.params.temperature == 0
    assert request.params.max_tokens == 5
    assert request.params.stop_strings() == ("END",)
    assert [message.content for message in request.prompt.messages] == ["Be brief.", "a long one"]  # type: ignore[union-attr]


def test_api_shows_the_code_of_the_api_settings(page: Page) -> None:
    choose_view(page, "API")
    expect(page.locator("#wb-chat")).to_be_hidden()
    code = page.locator(CODE)
    expect(code).to_contain_text("temperature=0.7")
    expect(code).to_contain_text("max_tokens=256")
    set_number(page, "api-temperature", "0.2")
    expect(code).to_contain_text("temperature=0.2")
    page.fill("#api-message textarea", 'She said "no"')
    expect(code).to_contain_text("'She said \"no\"'")


def test_settings_of_the_two_views_stay_apart_until_they_are_copied(page: Page) -> None:
    set_number(page, "ui-temperature", "1.3")
    choose_view(page, "API")
    assert number(page, "api-temperature") == "0.7"
    set_number(page, "api-top-k", "7")
    choose_view(page, "UI")
    assert number(page, "ui-top-k") == "40"
    choose_view(page, "API")
    page.click("#api-from-ui")
    expect(page.locator("#api-temperature input[type=number]")).to_have_value("1.3")
    assert number(page, "api-top-k") == "40"


def test_each_language_is_shown_and_copied_as_it_is(page: Page) -> None:
    choose_view(page, "API")
    for language, sign in (
        ("JavaScript", "baseURL"),
        ("Curl", "curl "),
        ("Python", "from openai import OpenAI"),
    ):
        choose(page, "api-language", language)
        expect(page.locator(CODE)).to_contain_text(sign)
        settle(page)
        shown = page.locator(CODE).evaluate("element => element.textContent")
        assert copied(page, "[data-wb-copy]") == shown


def test_the_guarded_pipeline_checks_before_and_after_in_every_language(page: Page) -> None:
    choose_view(page, "API")
    expect(page.locator(CODE)).not_to_contain_text("moderations")
    choose(page, "api-kind", "guarded")
    for language in ("Python", "JavaScript", "Curl"):
        choose(page, "api-language", language)
        settle(page)
        code = page.locator(CODE)
        expect(code).to_contain_text("moderations")
        lines = code.evaluate("element => element.textContent")
        assert lines.count("check(") + lines.count('check "$') >= 2


def test_the_code_names_the_address_the_browser_used_and_no_key(page: Page) -> None:
    choose_view(page, "API")
    address = page.url.split("#")[0] + "openai/v1"
    expect(page.locator(CODE)).to_contain_text(address)
    expect(page.locator(CODE)).to_contain_text("WORKBENCH_API_KEY")
    assert "wb-" not in page.inner_text(CODE)


def test_reset_brings_the_model_defaults_back_to_one_view_only(page: Page) -> None:
    set_number(page, "ui-temperature", "1.9")
    choose_view(page, "API")
    set_number(page, "api-temperature", "1.8")
    page.click("#api-reset")
    expect(page.locator("#api-temperature input[type=number]")).to_have_value("0.7")
    choose_view(page, "UI")
    assert number(page, "ui-temperature") == "1.9"


def test_another_region_offers_its_own_models(page: Page, stage: Stage) -> None:
    choose(page, "wb-region", "a remote endpoint")
    expect(page.locator("#wb-model-header h1")).to_have_text("thinker")
    expect(page.locator("#wb-model-header")).to_contain_text("0.20 credits per million tokens")
    expect(page.locator("#ui-max-tokens input[type=number]")).to_have_value("2000")
    send(page, "Think")
    expect(page.locator(".wb-finish")).to_be_visible()
    assert stage.backends[THINKER].calls[-1].request.model == THINKER


def test_the_help_beneath_the_code_names_the_causes(page: Page) -> None:
    choose_view(page, "API")
    page.click("text=Invalid API key?")
    for cause in ("Not exported", "Wrong kind", "baseUrl"):
        expect(page.locator("#api-help")).to_contain_text(cause)


def test_the_scheme_button_changes_the_colours_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page()
    try:
        page.click("[data-wb=scheme]")
        assert page.evaluate("() => document.body.classList.contains('dark')")
        reload(page)
        expect(page.locator("body.dark")).to_be_visible()
    finally:
        page.evaluate("() => localStorage.clear()")


def test_on_a_phone_the_panel_is_a_drawer(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    expect(page.locator("#wb-config")).to_be_hidden()
    page.click("[data-wb=config]")
    expect(page.locator("#wb-config")).to_be_visible()
    choose_view(page, "API")
    page.keyboard.press("Escape")
    expect(page.locator("#wb-config")).to_be_hidden()
    expect(page.locator(CODE)).to_be_visible()


def test_ctrl_k_opens_the_list_of_models(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("[role=option]").first).to_be_visible()


def test_a_changed_setting_can_be_reset_alone(page: Page) -> None:
    reset = page.locator("#ui-temperature .wb-reset-one")
    expect(reset).to_be_hidden()
    set_number(page, "ui-temperature", "1.5")
    set_number(page, "ui-top-k", "9")
    reset.click()
    expect(page.locator("#ui-temperature input[type=number]")).to_have_value("0.7")
    assert number(page, "ui-top-k") == "9"


def test_an_emptied_box_is_not_set_and_not_sent(page: Page, stage: Stage) -> None:
    set_number(page, "ui-temperature", "")
    assert number(page, "ui-temperature") == ""
    send(page, "Hello")
    expect(page.locator(".wb-finish")).to_be_visible()
    params = stage.backends[SMALL].calls[-1].request.params
    assert params.temperature is None
    assert params.top_k == 40


def test_presets_set_the_sampling_only_and_own_ones_are_kept_in_the_browser(page: Page) -> None:
    set_number(page, "ui-max-tokens", "99")
    page.click("#wb-presets summary")
    page.click("[data-wb-preset]:has-text('Precise')")
    expect(page.locator("#ui-temperature input[type=number]")).to_have_value("0")
    assert number(page, "ui-max-tokens") == "99"
    page.click("#wb-presets summary")
    page.fill("#wb-preset-name", "Mine")
    page.press("#wb-preset-name", "Enter")
    reload(page)
    page.click("#wb-presets summary")
    page.click(".wb-own-preset button:has-text('Mine')")
    expect(page.locator("#ui-max-tokens input[type=number]")).to_have_value("99")
    page.evaluate("() => localStorage.clear()")


def test_a_schema_is_marked_while_it_is_typed_and_the_answer_is_held_to_it(page: Page, stage: Stage) -> None:
    page.click("#ui-schema-drawer > button")
    page.fill("#ui-schema textarea", '{"type": "obj')
    expect(page.locator("#ui-schema-drawer .wb-invalid")).to_contain_text("line 1")
    page.fill("#ui-schema textarea", '{"type": "object", "required": ["city"]}')
    expect(page.locator("#ui-schema-drawer .wb-valid")).to_have_text("A valid schema")
    stage.scripts += [Script('{"city": "Rome"}'), Script("Rome")]
    ask(page, "Where?")
    expect(page.locator(".wb-schema")).to_have_text("Valid by the schema")
    assert stage.backends[SMALL].calls[-1].request.output_format is not None
    ask(page, "Where?")
    expect(page.locator(".wb-schema").nth(1)).to_have_text("Not valid by the schema")


def test_a_tool_is_defined_called_and_answered(page: Page, stage: Stage) -> None:
    page.click("#ui-tools-drawer > button")
    page.fill("#ui-tools textarea", '[{"name": "get_weather"}]')
    expect(page.locator("#ui-tools-drawer .wb-valid")).to_have_text("May call get_weather")
    stage.scripts += [
        Script("", tool_calls=(ToolCall("c1", "get_weather", '{"city": "Rome"}'),)),
        Script("It is sunny."),
    ]
    ask(page, "Weather in Rome?")
    expect(page.locator(".wb-call")).to_contain_text('{"city": "Rome"}')
    ask(page, "22 degrees, sunny")
    expect(page.locator("#wb-thread .bot").nth(1)).to_contain_text("It is sunny.")
    messages = stage.backends[SMALL].calls[-1].request.prompt.messages  # type: ignore[union-attr]
    assert (messages[-1].role.value, messages[-1].tool_call_id) == ("tool", "c1")


def test_tokens_are_tinted_by_their_probability(page: Page) -> None:
    page.check("#ui-logprobs input")
    ask(page, "Hello")
    page.click(".wb-tokens summary")
    expect(page.locator(".wb-tok")).to_have_count(7)
    assert "77.9 %" in (page.locator(".wb-tok").first.get_attribute("title") or "")
    page.click(".wb-tok >> nth=0")
    expect(page.locator(".wb-tok-detail")).to_contain_text('77.9 % "Hello! "')
    page.focus(".wb-tokens > div")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wb-tok-detail")).to_contain_text('"How "')


def test_the_schema_and_the_tools_of_the_api_view_are_in_its_code(page: Page) -> None:
    choose_view(page, "API")
    page.click("#api-schema-drawer > button")
    page.fill("#api-schema textarea", '{"type": "object", "required": ["city"]}')
    expect(page.locator(CODE)).to_contain_text("json_schema")


def test_run_and_compare_goes_through_the_http_door_and_agrees(page: Page, stage: Stage) -> None:
    choose_view(page, "API")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#api-run")
    expect(page.locator("#api-run-result")).to_contain_text("agree: the same 7 tokens")
    assert any(url.endswith("/openai/v1/chat/completions") for url in asked)
    first, second = stage.backends[SMALL].calls[-2:]
    assert first.request.params == second.request.params
    assert first.request.params.seed is not None
    expect(page.locator("#api-calls summary")).to_have_count(1)
    expect(page.locator("#api-calls summary")).to_contain_text("200")
    stage.scripts += [Script("One answer"), Script("Another answer")]
    page.click("#api-run")
    expect(page.locator("#api-run-result")).to_contain_text("differ")
    expect(page.locator("#api-calls summary")).to_have_count(2)
