from __future__ import annotations

from pathlib import Path

from scripts.reference.__main__ import FOLDER, stale, write
from scripts.reference.tables import field_texts, table
from workbench.core.backend import ModelCard


def test_the_reference_is_what_the_code_says() -> None:
    assert stale() == []


def test_a_page_that_differs_or_that_nothing_writes_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
    (tmp_path / "settings.md").write_text("old")
    (tmp_path / "left-over.md").write_text("of a page that is gone")
    assert stale(tmp_path) == ["differs or is missing: settings.md", "nothing writes it: left-over.md"]


def test_the_texts_under_fields_are_read() -> None:
    texts = field_texts(ModelCard)
    assert texts["id"] == "What requests call the model."
    assert set(texts) == set(ModelCard.__dataclass_fields__)


def test_a_cell_cannot_break_its_table() -> None:
    assert table(["a"], [["x | y\nz"]]).splitlines()[2] == "| x \\| y z |"
