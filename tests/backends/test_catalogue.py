"""models.toml is read exactly, and every fault names file, table and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.backends.catalogue import EMBEDDED_ID, card_from_source, read_catalogue
from workbench.core.errors import ConfigurationError, ModelNotFound


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(text)
    return path


def test_the_built_in_catalogue_starts_with_the_embedded_model() -> None:
    catalogue = read_catalogue(None)
    assert catalogue.default.id == EMBEDDED_ID
    assert {card.quantization for card in catalogue.cards.values()} == {"none", "int8", "nf4"}


def test_models_of_the_command_line_come_first_and_replace_their_namesakes(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    catalogue = read_catalogue(None).with_models((str(tmp_path / "mine"), EMBEDDED_ID))
    assert list(catalogue.cards)[:2] == ["mine", EMBEDDED_ID]
    assert catalogue.get(EMBEDDED_ID).source == EMBEDDED_ID
    with pytest.raises(ModelNotFound):
        catalogue.get("nobody/knows")


def test_a_url_is_a_remote_endpoint_and_a_whole_number_a_price(tmp_path: Path) -> None:
    path = write(
        tmp_path, '[[models]]\nid = "far"\nsource = "http://127.0.0.1:1/v1"\nprice_per_million_tokens = 2\n'
    )
    card = read_catalogue(path).default
    assert (card.backend, card.region, card.price_per_million_tokens) == ("remote", "remote", 2.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[models]\n", "not valid TOML"),
        ("x = 1\n", r"no \[\[models\]\]"),
        ('[[models]]\nid = "a"\n', "number 1: 'source' is missing"),
        ('[[models]]\nid = "a"\nsource = "b"\ncolour = 1\n', "unknown field 'colour'. Known: "),
        (
            '[[models]]\nid = "a"\nsource = "b"\nmax_concurrency = "4"\n',
            "'max_concurrency' must be int, not str",
        ),
        ('[[models]]\nid = "a"\nsource = "b"\nmax_concurrency = true\n', "must be int, not bool"),
        (
            '[[models]]\nid = "a"\nsource = "b"\nquantization = "int3"\n',
            "quantization must be one of none, int8, nf4",
        ),
        ('[[models]]\nid = "a"\nsource = "b"\nbackend = "magic"\n', "'magic' is not one of"),
        ('[[models]]\nid = "a"\nsource = "b"\n[[models]]\nid = "a"\nsource = "c"\n', "names 'a' twice"),
    ],
)
def test_a_fault_names_file_table_and_cure(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_catalogue(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="WORKBENCH_MODELS"):
        read_catalogue(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="no such folder or file"):
        card_from_source("./nowhere")
    assert card_from_source("owner/name").source == "owner/name"
