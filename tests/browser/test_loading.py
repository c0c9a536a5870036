from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import COMPOSER, send
from tests.browser.demo import CARDS, Stage, serve

pytestmark = pytest.mark.browser


def test_the_page_is_up_while_the_model_loads_and_a_message_waits_for_it(
    browser: Browser, tmp_path: Path
) -> None:
    stage = Stage(token_seconds=0.01)
    stage.may_load.clear()
    with serve(stage, tmp_path) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector(COMPOSER)
        expect(page.locator("#wb-model-header .wb-state")).to_contain_text("Loading")
        send(page, "Early bird")
        expect(page.locator("#wb-notice .wb-notice")).to_contain_text("Loading the model")
        stage.may_load.set()
        expect(page.locator(".wb-finish")).to_have_text("Finished")
        expect(page.locator("#wb-notice .wb-notice")).to_have_count(0)
        expect(page.locator("#wb-model-header .wb-state")).to_have_text("Ready")
        page.close()


def test_a_waiting_message_says_where_it_stands_and_is_sent_when_there_is_room(
    browser: Browser, tmp_path: Path
) -> None:
    cards = (replace(CARDS[0], max_concurrency=1),)
    with serve(Stage(token_seconds=0.01), tmp_path, cards=cards) as address:
        first, second = browser.new_page(), browser.new_page()
        for page in (first, second):
            page.goto(address)
            page.wait_for_selector(".wb-state-ready")
        send(first, "a long one")
        expect(first.locator("#wb-thread .bot")).to_contain_text("word")
        send(second, "Hello")
        expect(second.locator("#wb-notice .wb-busy")).to_contain_text("You are next; about")
        first.keyboard.press("Escape")
        expect(second.locator(".wb-finish")).to_have_text("Finished")
        expect(second.locator("#wb-notice .wb-notice")).to_have_count(0)
        first.close()
        second.close()
