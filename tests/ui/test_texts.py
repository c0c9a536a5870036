from __future__ import annotations

from pathlib import Path

import pytest

from scripts.texts import stale, texts_of_a_module, texts_of_the_page
from workbench.ui.languages import read_language, shipped_folder


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.json")), ids=lambda path: path.stem)
def test_a_language_has_no_text_that_the_page_does_not_say(path: Path) -> None:
    assert stale(read_language(path).texts) == []


def test_the_panels_parameters_the_scripts_and_the_pages_are_read() -> None:
    assert {"Temperature", "Preset: {1}", "Ask something", "Home"} <= texts_of_the_page()


def test_a_modules_texts_are_its_literals_and_what_stands_in_their_markup() -> None:
    source = '''
"""A docstring."""
WHOLE = "Send " "it"
MARKUP = f'<p title="More here">{count} of {len(all)} rows <b>left &amp; right</b></p>'
gr.Button("Run", elem_id="some-id")
NAMED = "Unexpected {name}."
INSIDE = f"{'Yes' if it else 'No'}, {it}"
'''
    assert set(texts_of_a_module(source)) == {
        "Send it", "More here", "{1} of {2} rows", "left & right", "Run", "Unexpected {1}.", "Yes", "No",
    }  # fmt: skip
