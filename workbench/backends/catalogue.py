"""The catalogue: which models there are, read from models.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from workbench.core.backend import ModelCard
from workbench.core.errors import ConfigurationError, InvalidRequest, ModelNotFound
from workbench.core.registry import BACKENDS

EMBEDDED_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
QUANTIZATIONS = ("none", "int8", "nf4")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models by id, in the file's order. The first one is the default. Models come and go while a server runs."""

    cards: dict[str, ModelCard]

    @property
    def default(self) -> ModelCard:
        """What a fresh page chats with, and what readiness waits for."""
        return next(iter(self.cards.values()))

    def get(self, model: str) -> ModelCard:
        """The card of this id. Raises: ModelNotFound."""
        try:
            return self.cards[model]
        except KeyError:
            raise ModelNotFound(model) from None

    def add(self, card: ModelCard) -> None:
        """Adds a model at the end. Raises: InvalidRequest when the id is taken."""
        if card.id in self.cards:
            raise InvalidRequest(f"The model id {card.id!r} is taken. Choose another id.", param="id")
        self.cards[card.id] = card

    def remove(self, model: str) -> None:
        """Takes a model out. Raises: ModelNotFound; InvalidRequest for the default one."""
        if self.get(model) is self.default:
            raise InvalidRequest("The default model stays: a fresh page chats with it.", param="id")
        del self.cards[model]

    def with_models(self, sources: tuple[str, ...]) -> Catalogue:
        """This catalogue with models from the command line in front: hub ids, folders or GGUF files."""
        extra = {card.id: card for card in map(card_from_source, sources)}
        return Catalogue({**extra, **{id_: card for id_, card in self.cards.items() if id_ not in extra}})


def card_from_source(source: str) -> ModelCard:
    """A card for a bare hub id, local folder or GGUF file.

    Raises: ConfigurationError when a path is meant and nothing is there.
    """
    path = Path(source).expanduser()
    if path.exists():
        return ModelCard(
            id=path.stem if path.suffix == ".gguf" else path.resolve().name, source=str(path.resolve())
        )
    if source.startswith((".", "/", "~")) or source.count("/") != 1:
        raise ConfigurationError(
            f"--model {source}: no such folder or file, and not a hub id of the form owner/name."
        )
    return ModelCard(id=source, source=source)


def read_catalogue(path: Path | None) -> Catalogue:
    """The catalogue of this file, or the built-in one when `path` is None.

    Raises: ConfigurationError naming file, table and cure.
    """
    name = str(path) if path is not None else "the built-in models.toml"
    try:
        text = (
            path.read_text("utf-8")
            if path is not None
            else resources.files("assets").joinpath("models.toml").read_text()
        )
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(
            f"The catalogue {name} cannot be read: {failure}. Check WORKBENCH_MODELS."
        ) from failure
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise ConfigurationError(f"The catalogue {name} is not valid TOML: {failure}.") from failure
    models = tables.get("models")
    if not isinstance(models, list) or not models:
        raise ConfigurationError(f"The catalogue {name} has no [[models]] table. Add one with id and source.")
    cards = [
        _read_card(table, f"{name}, [[models]] number {number}") for number, table in enumerate(models, 1)
    ]
    doubles = sorted({card.id for card in cards if sum(other.id == card.id for other in cards) > 1})
    if doubles:
        raise ConfigurationError(f"The catalogue {name} names {doubles[0]!r} twice. Ids must differ.")
    return Catalogue({card.id: card for card in cards})


def _read_card(table: object, where: str) -> ModelCard:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where}: not a table. Write [[models]], then id and source.")
    known = {field.name: field for field in fields(ModelCard)}
    for key in table:
        if key not in known:
            raise ConfigurationError(f"{where}: unknown field {key!r}. Known: {', '.join(sorted(known))}.")
    for needed in ("id", "source"):
        if not table.get(needed):
            raise ConfigurationError(f"{where}: {needed!r} is missing.")
    values = {key: _typed(key, value, where) for key, value in table.items()}
    if str(values["source"]).startswith(("http://", "https://")) and "backend" not in values:
        values["backend"] = "remote"
        values.setdefault("region", "remote")
    card = ModelCard(**values)
    if card.backend not in BACKENDS:
        raise ConfigurationError(
            f"{where}: backend {card.backend!r} is not one of {', '.join(sorted(BACKENDS))}."
        )
    if card.quantization not in QUANTIZATIONS:
        raise ConfigurationError(f"{where}: quantization must be one of {', '.join(QUANTIZATIONS)}.")
    return card


_TYPES = get_type_hints(ModelCard)


def _typed(key: str, value: object, where: str) -> Any:
    """`value` if it has the field's type (an int is a float, too); bool is no number."""
    hint = _TYPES[key]
    allowed = tuple(kind for kind in (get_args(hint) if isinstance(hint, UnionType) else (hint,)))
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) not in allowed:
        names = " or ".join(kind.__name__ for kind in allowed if kind is not type(None))
        raise ConfigurationError(f"{where}: {key!r} must be {names}, not {type(value).__name__}.")
    return value
