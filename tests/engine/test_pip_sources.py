"""Package sources are read as pip and uv read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.engine.pip_sources import PYPI, PipSources, read_pip_sources


def test_nothing_set_means_the_public_index() -> None:
    assert read_pip_sources({}, []) == PipSources(find_links=(), indexes=(PYPI,), ca_bundle=None)


def test_configuration_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://mirror.test/simple\nfind_links = /wheels\n  https://links.test/\n"
        "cert = /etc/ca.pem\n[install]\nextra-index-url = https://extra.test/simple\n"
    )
    assert read_pip_sources({}, [file]) == PipSources(
        find_links=("/wheels", "https://links.test/"),
        indexes=("https://mirror.test/simple", "https://extra.test/simple"),
        ca_bundle="/etc/ca.pem",
    )


def test_environment_wins_over_files_and_uv_over_pip(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file.test/simple\ncert = /file.pem\n")
    pip = {"PIP_INDEX_URL": "https://pip.test/simple", "PIP_CERT": "/pip.pem"}
    assert read_pip_sources(pip, [file]).indexes == ("https://pip.test/simple",)
    assert read_pip_sources(pip, [file]).ca_bundle == "/pip.pem"
    uv = {**pip, "UV_INDEX_URL": "https://uv.test/simple", "SSL_CERT_FILE": "/ssl.pem"}
    assert read_pip_sources(uv, [file]).indexes == ("https://uv.test/simple",)
    assert read_pip_sources(uv, [file]).ca_bundle == "/ssl.pem"
    newest = {
        **uv,
        "UV_DEFAULT_INDEX": "https://default.test/simple",
        "UV_INDEX": "own=https://own.test/simple",
    }
    assert read_pip_sources(newest, [file]).indexes == (
        "https://default.test/simple",
        "https://own.test/simple",
    )


def test_link_folders_of_uv_and_pip_add_up() -> None:
    environ = {"UV_FIND_LINKS": "/a,/b", "PIP_FIND_LINKS": "/b /c"}
    assert read_pip_sources(environ, []).find_links == ("/a", "/b", "/c")


def test_no_index_leaves_the_link_folders() -> None:
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    assert read_pip_sources(environ, []) == PipSources(find_links=("/wheels",), indexes=())


def test_configuration_of_the_user_is_found(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text("[global]\nindex-url = https://user.test/simple\n")
    assert read_pip_sources({"HOME": str(tmp_path)}).indexes[0] == "https://user.test/simple"
    assert read_pip_sources({"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}).indexes == (PYPI,)


@pytest.mark.parametrize("text", ["no section", "[global\nindex-url = x", "\xff\xfe"])
def test_file_that_cannot_be_parsed_is_passed_over(text: str, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_bytes(text.encode("latin-1"))
    assert read_pip_sources({}, [file, tmp_path / "missing"]).indexes == (PYPI,)
