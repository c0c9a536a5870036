"""Rules that keep the page quick, as Gradio's own script and the browser see them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_events_are_a_list_that_svelte_does_not_watch(page: Page) -> None:
    kinds = page.evaluate(
        """() => {
             const events = window.gradio_config.dependencies;
             return [events, events.filter(() => true)].map((list) => [
               Array.isArray(list), list.length > 0, Object.getPrototypeOf(list) === Array.prototype
             ]);
           }"""
    )
    assert kinds == [[True, True, False]] * 2
