from __future__ import annotations

from pathlib import Path

import pytest

from snippets import render
from snippets.documents import filled, stale, write
from snippets.examples import EXAMPLES

MARKED = "Before\n\n<!-- snippet: guarded-chat python openai -->\nold\n<!-- end of snippet -->\n\nAfter\n"


def test_the_documents_hold_the_examples_code() -> None:
    assert stale() == []


def test_a_marked_block_is_filled_and_nothing_else_is_touched() -> None:
    text = filled(MARKED)
    assert render(EXAMPLES["guarded-chat"], "python", "openai").code in text
    assert text.startswith("Before\n\n<!-- snippet: guarded-chat python openai -->\n```python\n")
    assert text.endswith("```\n<!-- end of snippet -->\n\nAfter\n")
    assert filled(text) == text


def test_each_block_ends_at_its_own_end() -> None:
    both = filled(MARKED + MARKED.replace("python openai", "curl curl"))
    assert both.count("Before") == both.count("After") == 2
    assert "```shell" in both


def test_an_unknown_example_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled(MARKED.replace("guarded-chat", "nonsense"))


def test_writing_makes_a_document_current(tmp_path: Path) -> None:
    document = tmp_path / "folder" / "page.md"
    document.parent.mkdir()
    document.write_text(MARKED)
    assert stale(tmp_path) == [document]
    write(tmp_path)
    assert stale(tmp_path) == []
