from __future__ import annotations

from pathlib import Path

import pytest

from workbench.ui.uploads import MOST_OF_AN_ACCOUNT, Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads")


def _written(uploads: Uploads, name: str, content: str = "x") -> str:
    """A file where Gradio would put it: in a folder named by its content."""
    folder = uploads.folder / content
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return str(folder / name)


def test_what_an_earlier_server_left_is_gone(tmp_path: Path) -> None:
    (tmp_path / "uploads" / "abc").mkdir(parents=True)
    (tmp_path / "uploads" / "abc" / "old.csv").write_text("x")
    uploads = Uploads(tmp_path / "uploads")
    assert list(uploads.folder.iterdir()) == []
    assert uploads.folder.stat().st_mode & 0o777 == 0o700


def test_a_file_is_read_by_who_uploaded_it_alone(uploads: Uploads) -> None:
    path = _written(uploads, "a.csv")
    assert uploads.add("ada", [path])
    assert uploads.may_read("ada", path)
    assert not uploads.may_read("bob", path)
    assert not uploads.may_read("ada", path.replace("/a.csv", "/../x/a.csv"))


@pytest.mark.parametrize("name", ["page.html", "program.py", "none", "picture.svg", "a.csv.exe"])
def test_a_file_that_no_page_reads_does_not_stay(uploads: Uploads, name: str) -> None:
    good, bad = _written(uploads, "a.csv", "good"), _written(uploads, name, "bad")
    assert not uploads.add("ada", [good, bad])
    assert list(uploads.folder.iterdir()) == []
    assert not uploads.may_read("ada", good)


def test_the_oldest_files_of_an_account_make_room(uploads: Uploads) -> None:
    paths = [_written(uploads, "a.csv", f"content {number}") for number in range(MOST_OF_AN_ACCOUNT + 2)]
    for path in paths:
        uploads.add("ada", [path])
    assert [uploads.may_read("ada", path) for path in paths] == [False] * 2 + [True] * MOST_OF_AN_ACCOUNT
    assert not Path(paths[0]).exists()


def test_who_leaves_takes_its_files_along_but_no_one_elses(uploads: Uploads) -> None:
    shared, own = _written(uploads, "a.csv", "shared"), _written(uploads, "b.csv", "own")
    uploads.add("ada", [shared, own])
    uploads.add("bob", [shared])
    uploads.forget("ada")
    assert not uploads.may_read("ada", own)
    assert not Path(own).exists()
    assert uploads.may_read("bob", shared)
    assert Path(shared).exists()
    uploads.forget("nobody")
