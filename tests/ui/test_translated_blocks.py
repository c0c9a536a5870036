from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from workbench.ui.languages import Language, reader
from workbench.ui.translated_blocks import PageTexts, TranslatedBlocks

GERMAN = Language(
    "de",
    {"Send": "Senden", "Run & see": "Los & sehen", "Home": "Start", "Copied": "Kopiert", "Stop": "Stopp"},
)


class Page:
    """A page with a text of every kind, whose one event answers what it is told to."""

    def __init__(self) -> None:
        with TranslatedBlocks() as self.blocks:
            self.html = gr.HTML("<b>Home</b>")
            self.box = gr.Textbox("Home", label="Send", info="Home", placeholder="Stop")
            self.choice = gr.Radio(["Home", ("Send", "sent")], value="Home", label="Unknown")
            self.run = gr.Button("Run & see")
            outputs = [self.html, self.box, self.choice, self.run]
            self.run.click(lambda: None, None, outputs, api_visibility="private")
        self.blocks.i18n_instance = PageTexts({"de": GERMAN})
        self.state = SessionState(self.blocks)

    def props(self, block: gr.components.Component) -> dict[str, Any]:
        props: dict[str, Any]
        (props,) = (part["props"] for part in self.blocks.config["components"] if part["id"] == block._id)
        return props

    async def told(self, *said: Any) -> list[Any]:
        (event,) = self.blocks.fns.values()
        told: list[Any] = await self.blocks.postprocess_data(event, list(said), self.state)
        return told


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def in_german() -> Iterator[None]:
    before = reader.set(GERMAN)
    yield
    reader.reset(before)


@pytest.mark.usefixtures("in_german")
def test_the_page_begins_in_the_readers_language(page: Page) -> None:
    assert page.props(page.html)["value"] == "<b>Start</b>"
    assert page.props(page.run)["value"] == "Los & sehen"
    box = page.props(page.box)
    assert (box["label"], box["info"], box["placeholder"]) == ("Senden", "Start", "Stopp")


@pytest.mark.usefixtures("in_german")
def test_what_somebody_typed_or_chose_is_never_translated(page: Page) -> None:
    assert page.props(page.box)["value"] == "Home"
    assert page.props(page.choice)["value"] == "Home"
    assert page.props(page.choice)["choices"] == [("Start", "Home"), ("Senden", "sent")]


def test_a_reader_of_english_is_sent_what_was_written(page: Page) -> None:
    assert page.blocks.config is page.blocks.config
    assert page.props(page.html)["value"] == "<b>Home</b>"
    assert not page.blocks.config["i18n_translations"]


@pytest.mark.usefixtures("in_german")
def test_a_browser_gets_the_texts_of_its_scripts_alone(page: Page) -> None:
    texts = page.blocks.config["i18n_translations"]["de"]
    assert texts["Copied"] == "Kopiert"
    assert "Run & see" not in texts


@pytest.mark.usefixtures("in_german")
async def test_what_an_event_changes_is_translated(page: Page) -> None:
    told = await page.told(
        "<i>Stop</i>", "Home", gr.Radio(["Stop"], value="Stop", label="Home"), gr.Button("Send")
    )
    assert told[0] == "<i>Stopp</i>"
    assert told[1] == "Home"
    assert (told[2]["label"], told[2]["value"], told[2]["choices"]) == ("Start", "Stop", [("Stopp", "Stop")])
    assert told[3]["value"] == "Senden"


async def test_an_event_of_a_reader_of_english_is_not_touched(page: Page) -> None:
    told = await page.told("<i>Stop</i>", "Home", gr.skip(), gr.Button("Send"))
    assert (told[0], told[3]["value"]) == ("<i>Stop</i>", "Send")
