"""What `workbench doctor` finds in settings and catalogue, each with a cure."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from workbench.cli.doctor_settings import address, asked_for, missing_for, unknown_variables
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings


def test_a_misspelled_setting_is_named_with_what_was_meant() -> None:
    given = {"WORKBENCH_MODEL": "x", "WORKBENCH_PORT": "1", "WORKBENCH_API_KEY": "k", "PATH": "/"}
    (found,) = unknown_variables(given)
    assert not found.is_fine
    assert "WORKBENCH_MODEL " in f"{found.value} "
    assert found.cure == "Did you mean WORKBENCH_MODELS?"


@pytest.mark.parametrize(
    ("card", "cure"),
    [
        (ModelCard("far", "https://far/v1", backend="remote", api_key_env="FAR_KEY"), "Set FAR_KEY"),
        (ModelCard("near", "/nowhere/model"), "/nowhere/model does not exist"),
        (ModelCard("file", "model.gguf"), "model.gguf does not exist"),
        (ModelCard("copies", "~/nowhere/model", backend="ray"), "nowhere/model does not exist"),
    ],
)
def test_a_model_that_cannot_be_had_is_named_with_its_cure(card: ModelCard, cure: str) -> None:
    found = [finding for finding in missing_for(card, {}) if cure in finding.cure]
    assert [finding.is_fine for finding in found] == [False]
    assert card.id in found[0].value


def test_a_file_that_a_folder_lacks_is_named(tmp_path: Path) -> None:
    card = ModelCard("ours", str(tmp_path), gguf_file="q4.gguf")
    (found,) = missing_for(card, {})
    assert "no file q4.gguf" in found.cure
    (tmp_path / "q4.gguf").touch()
    assert not list(missing_for(card, {}))


def test_replicas_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (found,) = missing_for(ModelCard("copies", str(tmp_path), backend="ray"), {})
    assert "model-workbench[ray]" in found.cure


def test_what_can_be_had_is_not_named(tmp_path: Path) -> None:
    for card in (
        ModelCard("hub", "owner/name"),
        ModelCard("embedded", "embedded:smollm2-135m-instruct"),
        ModelCard("folder", str(tmp_path)),
        ModelCard("far", "https://far/v1", backend="remote", api_key_env="FAR_KEY"),
    ):
        assert not list(missing_for(card, {"FAR_KEY": "k"}))


def test_a_guard_that_does_not_exist_is_named(tmp_path: Path) -> None:
    found = {
        finding.name: finding for finding in asked_for(Settings(home=tmp_path, guard="nonsense", port=0))
    }
    assert "there is no guard 'nonsense'" in found["guard"].cure
    assert found["catalogue"].is_fine


def test_an_address_that_is_none_is_named_and_a_taken_port_is_not_wrong() -> None:
    assert "WORKBENCH_HOST" in address(Settings(host="192.0.2.1", port=0)).cure
    assert address(Settings(host="::1" if socket.has_ipv6 else "127.0.0.1", port=0)).is_fine
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = address(Settings(host="127.0.0.1", port=listener.getsockname()[1]))
    assert taken.is_fine
    assert "answers already" in taken.value
