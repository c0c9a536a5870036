from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.cli import main


def _run(*arguments: str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_store_moves_to_another_home_as_a_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "store.jsonl.gz")
    assert _run("keys", "create", "--name", "nightly", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert _run("export", file) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"Rows in {file}: 1.\n")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "another"))
    assert _run("import", file) == 0
    assert _run("import", file) == 1
    assert "--replace" in capsys.readouterr().err
    assert _run("import", file, "--replace") == 0
    assert _run("keys", "list", "--json") == 0
    assert [key["id"] for key in json.loads(capsys.readouterr().out)] == [made["id"]]


def test_an_export_without_a_store_fails_and_leaves_no_file_and_no_store(home: Path, tmp_path: Path) -> None:
    assert _run("export", str(tmp_path / "file")) == 1
    assert not (tmp_path / "file").exists()
    assert not home.exists()
    assert _run("import", str(tmp_path / "file")) == 1
