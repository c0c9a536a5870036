"""What happens on the card of the team's own questions. Its rows stay in the page's session and in no file of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from evaluators.data import (
    ColumnMapping,
    RawTable,
    pasted_table,
    read_table,
    samples_from_table,
    suggest_mapping,
)
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.ui.evaluate.data import MAPPED_PARTS, NO_COLUMN, DataCard, OwnData, column_choices
from workbench.ui.evaluate.data_view import data_html
from workbench.ui.notice import error_notice

Updates = dict[Any, Any]


class DataEvents:
    """The handlers of the card, bound to its components."""

    def __init__(self, card: DataCard) -> None:
        self._card = card

    def upload(self, path: str) -> Updates:
        """The uploaded file's rows, under the mapping its columns speak for."""
        try:
            data = Path(path).read_bytes()
        except OSError:
            return self._refused(
                InvalidRequest("The file is not there any more: upload it again.", param="data")
            )
        return self._read(lambda: read_table(data, Path(path).name))

    def paste(self, text: str) -> Updates:
        """The pasted rows, likewise."""
        return self._read(lambda: pasted_table(text))

    def handed(self, text: str) -> Updates:
        """As `paste`; nothing where nothing was handed over."""
        return self.paste(text) if text.strip() else {self._card.preview: ""}

    def remap(self, table: RawTable | None, *columns: str) -> Updates:
        """The same rows, under the mapping that was chosen."""
        if table is None:
            return {self._card.preview: ""}
        chosen = dict(zip(MAPPED_PARTS, (column or None for column in columns), strict=True))
        known = suggest_mapping(table.columns).metadata
        metadata = None if known in chosen.values() else known
        return self._mapped(table, ColumnMapping(**chosen, metadata=metadata))

    def clear(self) -> Updates:
        """Nothing of one's own is asked."""
        card = self._card
        return {
            card.file: None,
            card.pasted: "",
            card.table: None,
            card.own: None,
            card.preview: "",
            card.mapping: gr.Row(visible=False),
        }

    def _read(self, read: Callable[[], RawTable]) -> Updates:
        card = self._card
        try:
            table = read()
        except WorkbenchError as failure:
            return self._refused(failure)
        mapping = suggest_mapping(table.columns)
        values = asdict(mapping)
        menus = {
            menu: gr.Dropdown(column_choices(table.columns), value=values[part] or NO_COLUMN)
            for part, menu in zip(MAPPED_PARTS, card.menus, strict=True)
        }
        shown = {card.table: table, card.mapping: gr.Row(visible=True)}
        return {**menus, **shown, **self._mapped(table, mapping)}

    def _mapped(self, table: RawTable, mapping: ColumnMapping) -> Updates:
        card = self._card
        try:
            found = samples_from_table(table, "your questions", mapping)
        except WorkbenchError as failure:
            return {card.own: None, card.preview: error_notice(failure)}
        return {card.own: OwnData(found) if found.samples else None, card.preview: data_html(table, found)}

    def _refused(self, failure: WorkbenchError) -> Updates:
        card = self._card
        shut = {card.table: None, card.own: None, card.mapping: gr.Row(visible=False)}
        return {**shut, card.preview: error_notice(failure)}


def bind_data_card(card: DataCard, handed: gr.events.Dependency) -> None:
    """Connects the card's components; `handed` is the event in which another page pastes its questions."""
    events = DataEvents(card)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    result = [card.table, card.own, card.preview, card.mapping]
    everything = [*result, *card.menus]
    card.file.upload(events.upload, [card.file], everything, **quiet)
    card.file.clear(events.clear, None, [card.file, card.pasted, *result], **quiet)
    card.use.click(events.paste, [card.pasted], everything, **quiet)
    handed.then(events.handed, [card.pasted], everything, **quiet)
    card.clear.click(events.clear, None, [card.file, card.pasted, *result], **quiet)
    for menu in card.menus:
        menu.input(events.remap, [card.table, *card.menus], [card.own, card.preview], **quiet)
