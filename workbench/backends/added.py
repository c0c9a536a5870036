"""Models that an operator added while the server ran: a catalogue file of their own, kept in the home folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from workbench.backends.catalogue import Catalogue, read_catalogue
from workbench.core.backend import ModelCard
from workbench.core.errors import ConfigurationError
from workbench.core.settings import Settings

FILE_NAME = "added-models.toml"
_HEAD = "# Models added on the page. Workbench writes this file; edit it while the server is stopped.\n"


class AddedModels:
    """The file of added models. It has the format of models.toml and is replaced as a whole."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME

    def cards(self) -> Sequence[ModelCard]:
        """The models, the first added first. Raises: ConfigurationError for a file that was damaged."""
        return tuple(read_catalogue(self.path).cards.values()) if self.path.exists() else ()

    def ids(self) -> frozenset[str]:
        """The models' ids."""
        return frozenset(card.id for card in self.cards())

    def add(self, card: ModelCard) -> None:
        """Keeps a model; one of the same id goes. Raises: ConfigurationError when the file cannot be written."""
        self._write([*(kept for kept in self.cards() if kept.id != card.id), card])

    def remove(self, model: str) -> None:
        """Forgets a model, if it is there. Raises: ConfigurationError when the file cannot be written."""
        self._write([kept for kept in self.cards() if kept.id != model])

    def _write(self, cards: Sequence[ModelCard]) -> None:
        try:
            if not cards:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self.path.parent, prefix=FILE_NAME, delete=False
            ) as file:
                file.write(_HEAD + "".join(_table(card) for card in cards))
            Path(file.name).replace(self.path)
        except OSError as failure:
            raise ConfigurationError(f"{self.path} cannot be written: {failure.strerror}.") from failure


def open_catalogue(settings: Settings) -> Catalogue:
    """The operator's catalogue, then the models that were added on the page; the operator's own win.

    Raises: ConfigurationError naming file, table and cure.
    """
    catalogue = read_catalogue(settings.models)
    for card in AddedModels(settings.home).cards():
        if card.id not in catalogue.cards:
            catalogue.add(card)
    return catalogue


def _table(card: ModelCard) -> str:
    """One [[models]] table with what differs from a field's default."""
    lines = ["\n[[models]]"]
    for field in fields(ModelCard):
        value = getattr(card, field.name)
        if value != field.default:
            lines.append(f"{field.name} = {_literal(value)}")
    return "\n".join(lines) + "\n"


def _literal(value: str | float | bool) -> str:
    """A TOML value: JSON's strings, numbers and booleans are TOML's too, but for the character 0x7F."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
