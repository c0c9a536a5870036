from __future__ import annotations

from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from workbench.ui.lean_blocks import LeanBlocks

STAYS = {"__type__": "update"}


class Page:
    """A page with three outputs, and what they are told."""

    def __init__(self) -> None:
        with LeanBlocks() as self.blocks:
            self.thread = gr.Chatbot()
            self.notice = gr.Textbox()
            self.send = gr.Button("Send")
            self.send.click(
                lambda: None, None, [self.thread, self.notice, self.send], api_visibility="private"
            )
        self.state = SessionState(self.blocks)

    async def told(self, said: Any) -> list[Any]:
        (event,) = self.blocks.fns.values()
        told: list[Any] = await self.blocks.postprocess_data(event, said, self.state)
        return told


@pytest.fixture
def page() -> Page:
    return Page()


async def test_an_output_that_is_not_named_is_told_to_stay_and_is_not_built_anew(page: Page) -> None:
    before = page.state[page.notice._id]
    told = await page.told({page.send: gr.Button(visible=False)})
    assert told == [STAYS, STAYS, {"visible": False, "__type__": "update"}]
    assert page.state[page.notice._id] is before


async def test_what_is_named_is_told_as_gradio_tells_it(page: Page) -> None:
    said = [{"role": "user", "content": "Hello"}]
    thread, notice, send = await page.told({page.notice: "Soon", page.thread: said})
    (whole, *_) = await gr.Blocks.postprocess_data(
        page.blocks, next(iter(page.blocks.fns.values())), [said, "Soon", STAYS], page.state
    )
    assert (thread, notice, send) == (whole, "Soon", STAYS)


async def test_values_in_a_list_may_be_skipped_as_well(page: Page) -> None:
    assert await page.told([gr.skip(), "Soon", gr.skip()]) == [STAYS, "Soon", STAYS]
    assert await page.told([gr.skip()] * 3) == [STAYS] * 3
    assert await page.told(gr.skip()) == [STAYS] * 3


async def test_an_output_that_the_event_does_not_have_is_refused(page: Page) -> None:
    with page.blocks:
        other = gr.Textbox()
    with pytest.raises(ValueError, match="not specified as output"):
        await page.told({other: "Soon"})


def test_the_page_is_sent_without_what_only_gradios_api_page_reads(page: Page) -> None:
    config = page.blocks.get_config_file()
    assert {component["type"] for component in config["components"]} >= {"chatbot", "textbox", "button"}
    assert not any(name.startswith("api_info") for component in config["components"] for name in component)
    assert page.blocks.get_api_info() == {"named_endpoints": {}, "unnamed_endpoints": {}}


def test_nobody_is_told_of_a_hidden_progress() -> None:
    with LeanBlocks() as blocks:
        outputs = [gr.Chatbot(), gr.Button("Send")]
        outputs[1].click(lambda: None, None, outputs, show_progress="hidden", api_visibility="private")
        outputs[1].click(lambda: None, None, outputs, api_visibility="private")
        hidden, shown = blocks.get_config_file()["dependencies"]
    assert (hidden["show_progress_on"], shown["show_progress_on"]) == ([], None)
