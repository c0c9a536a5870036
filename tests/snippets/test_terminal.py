"""The block for a terminal runs as it is pasted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from snippets import LANGUAGES, terminal_block, wire_body
from snippets.examples import EXAMPLES
from tests.snippets.matrix import each_client
from tests.snippets.programs import Programs, node
from tests.snippets.recorder import Recorder


@pytest.fixture
def installers(tmp_path: Path) -> Path:
    """A folder with a pip and an npm that note their arguments, so that nothing is downloaded."""
    for name in ("pip", "npm"):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/installed\n')
        path.chmod(0o755)
    (tmp_path / "node").symlink_to(node())
    return tmp_path


@each_client
def test_the_block_brings_its_key_its_library_and_its_code(
    programs: Programs, recorder: Recorder, installers: Path, language: str, client: str
) -> None:
    request = replace(EXAMPLES["chat-hostile"], base_url=recorder.base_url, key="wb-it's-mine")
    block = terminal_block(request, language, client)
    outcome = programs.run_block(block, first_on_path=installers)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert recorder.bodies == [wire_body(request)]
    assert [call.authorization for call in recorder.calls] == ["Bearer wb-it's-mine"]
    install_line = LANGUAGES[language].client(client).install_line
    noted = installers / "installed"
    assert (noted.read_text().strip() if noted.exists() else None) == install_line


def test_without_a_key_the_block_exports_none() -> None:
    assert "export" not in terminal_block(EXAMPLES["chat"], "python")
