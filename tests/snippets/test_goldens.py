"""The golden files are what the templates give, and the check notices every way in which they could not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from snippets.goldens import differences, goldens, main, write


def test_the_golden_files_are_up_to_date() -> None:
    assert differences() == []


def test_the_check_changes_nothing_and_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_is_missing_changed_or_left_over_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    assert differences(tmp_path) == []
    missing, changed, *_ = (golden.path for golden in goldens(tmp_path))
    missing.unlink()
    changed.write_text("something else")
    (tmp_path / "chat" / "left-over.py").write_text("")
    assert differences(tmp_path) == sorted(
        [
            f"missing: {missing.relative_to(tmp_path)}",
            f"differs: {changed.relative_to(tmp_path)}",
            "belongs to no example: chat/left-over.py",
        ]
    )
    write(tmp_path)
    assert differences(tmp_path) == []
