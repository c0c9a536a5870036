"""The team's own rows on the page: read, mapped, counted; bad ones by line and reason, and good ones kept."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from evaluators.data import EvaluationSet
from workbench.ui.evaluate.data import MAPPED_PARTS, DataCard, OwnData, build_data_card
from workbench.ui.evaluate.data_events import DataEvents

CSV = "Frage,Antwort,nr\nWie viel ist 2+2?,4,1\nHauptstadt?,Paris,2\n,fehlt,3\n"


@pytest.fixture
def card() -> DataCard:
    with gr.Blocks():
        return build_data_card()


@pytest.fixture
def events(card: DataCard) -> DataEvents:
    return DataEvents(card)


def columns(**chosen: str) -> list[str]:
    return [chosen.get(part, "") for part in MAPPED_PARTS]


def own(updates: dict[Any, Any], card: DataCard) -> EvaluationSet:
    held = updates[card.own]
    assert not isinstance(held, Hashable), "Gradio would hash it, and its samples cannot be hashed"
    assert isinstance(held, OwnData)
    return held.found


def test_known_names_need_no_mapping(events: DataEvents, card: DataCard, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("question,answer\nQ,A\n")
    updates = events.upload(str(path))
    assert [sample.prompt for sample in own(updates, card).samples] == ["Q"]
    assert [menu.value for menu in (updates[card.menus[0]], updates[card.menus[2]])] == ["question", "answer"]
    assert "1 questions" in updates[card.preview]


def test_foreign_names_are_mapped_by_hand(events: DataEvents, card: DataCard) -> None:
    read = events.paste(CSV)
    assert read[card.own] is None
    updates = events.remap(read[card.table], *columns(prompt="Frage", expected="Antwort", id="nr"))
    assert [(s.id, s.prompt, s.expected) for s in own(updates, card).samples] == [
        ("1", "Wie viel ist 2+2?", ("4",)),
        ("2", "Hauptstadt?", ("Paris",)),
    ]
    assert "Line 4 has neither a prompt nor messages." in updates[card.preview]


def test_a_column_with_two_meanings_is_refused_and_the_table_stays(
    events: DataEvents, card: DataCard
) -> None:
    table = events.paste(CSV)[card.table]
    updates = events.remap(table, *columns(prompt="Frage", expected="Frage"))
    assert updates[card.own] is None
    assert "second meaning" in updates[card.preview]
    assert card.table not in updates


def test_an_unreadable_file_says_why(events: DataEvents, card: DataCard, tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"not parquet")
    updates = events.upload(str(path))
    assert updates[card.own] is None
    assert "not Parquet" in updates[card.preview]


def test_cells_are_text(events: DataEvents, card: DataCard) -> None:
    updates = events.paste("prompt,expected\n<script>alert(1)</script>,x\n")
    assert "<script>" not in updates[card.preview]
    assert "&lt;script&gt;" in updates[card.preview]


def test_clearing_forgets_everything(events: DataEvents, card: DataCard) -> None:
    updates = events.clear()
    assert [updates[part] for part in (card.file, card.pasted, card.table, card.own)] == [
        None,
        "",
        None,
        None,
    ]
