from __future__ import annotations

from pathlib import Path

import gradio
import pytest

from workbench.ui.frontend_chunks import chunk_links, page_chunks

FRONTEND = Path(gradio.__file__).parent / "templates" / "frontend"


def has(chunks: tuple[str, ...], begin: str) -> bool:
    return any(name.startswith(begin) for name in chunks)


def test_the_gradio_that_is_installed_is_read_from_its_entry_to_its_components() -> None:
    chunks = page_chunks(FRONTEND, {"chatbot", "textbox"})
    assert has(chunks, "Blocks-")
    assert has(chunks, "markdown-code-"), "what the thread is drawn with"
    assert {Path(name).suffix for name in chunks} == {".js", ".css"}
    assert all((FRONTEND / "assets" / name).is_file() for name in chunks)
    assert len(set(chunks)) == len(chunks)


def test_a_component_costs_nothing_where_it_is_not_used() -> None:
    chunks = page_chunks(FRONTEND, {"textbox"})
    assert not has(chunks, "markdown-code-")
    assert set(chunks) < set(page_chunks(FRONTEND, {"textbox", "chatbot"}))


@pytest.mark.parametrize("page", ["", '<script src="./assets/index-new.js">'])
def test_a_frontend_that_is_built_otherwise_gives_nothing(tmp_path: Path, page: str) -> None:
    (tmp_path / "index.html").write_text(page)
    assert page_chunks(tmp_path, {"textbox"}) == ()
    assert page_chunks(tmp_path / "none", {"textbox"}) == ()


def test_sheets_are_only_fetched_and_scripts_are_modules() -> None:
    links = chunk_links(["a.css", "b.js"])
    assert '<link rel="preload" as="style" crossorigin href="./assets/a.css">' in links
    assert '<link rel="modulepreload" crossorigin href="./assets/b.js">' in links
