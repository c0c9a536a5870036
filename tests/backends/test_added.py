"""What was added on the page is there after a restart, exactly as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.backends.added import FILE_NAME, AddedModels, open_catalogue
from workbench.backends.catalogue import EMBEDDED_ID
from workbench.core.backend import ModelCard
from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.core.settings import Settings

AWKWARD = ModelCard(
    id='quoted "id"', source="C:\\models\\ü\n\x7f", quantization="int8", context_length=512,
    price_per_million_tokens=0.5, description='"""\\u0000 is text',
)  # fmt: skip
REMOTE = ModelCard(id="far", source="https://host/v1", backend="remote", region="host", remote_model="x")


def test_every_field_survives_the_file(tmp_path: Path) -> None:
    added = AddedModels(tmp_path / "home")
    added.add(AWKWARD)
    added.add(REMOTE)
    assert list(AddedModels(tmp_path / "home").cards()) == [AWKWARD, REMOTE]


def test_a_removed_model_is_gone_and_an_empty_file_too(tmp_path: Path) -> None:
    added = AddedModels(tmp_path)
    added.add(REMOTE)
    added.remove("another")
    assert added.ids() == {"far"}
    added.remove("far")
    assert (added.cards(), list(tmp_path.iterdir())) == ((), [])


def test_added_models_come_after_the_operators_own_which_win(settings: Settings) -> None:
    added = AddedModels(settings.home)
    added.add(ModelCard(id=EMBEDDED_ID, source="elsewhere"))
    added.add(REMOTE)
    catalogue = open_catalogue(settings)
    assert list(catalogue.cards)[-1] == "far"
    assert catalogue.default.source.startswith("embedded:")


def test_a_damaged_file_is_named(settings: Settings) -> None:
    (settings.home / FILE_NAME).write_text("[[models]")
    with pytest.raises(ConfigurationError, match=FILE_NAME):
        open_catalogue(settings)


def test_a_running_catalogue_refuses_a_taken_id_and_keeps_its_default(settings: Settings) -> None:
    catalogue = open_catalogue(settings)
    with pytest.raises(InvalidRequest, match="taken"):
        catalogue.add(ModelCard(id=EMBEDDED_ID, source="x"))
    with pytest.raises(InvalidRequest, match="default"):
        catalogue.remove(EMBEDDED_ID)
