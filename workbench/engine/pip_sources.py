"""Where this machine gets Python packages from, as pip and uv are told: indexes, link folders, certificates.

Covered: PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, PIP_CERT, PIP_CONFIG_FILE and pip's
configuration files; UV_DEFAULT_INDEX, UV_INDEX_URL, UV_INDEX, UV_EXTRA_INDEX_URL, UV_FIND_LINKS;
SSL_CERT_FILE. Not covered: uv's own configuration files, keyrings and .netrc.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PYPI = "https://pypi.org/simple"
_PIP_SECTIONS = ("install", "download", "global")


@dataclass(frozen=True, slots=True)
class PipSources:
    """Places to try in order: `find_links` are folders or pages that list files, `indexes` simple-API roots.

    `ca_bundle` is a PEM file of trusted certificates, or None for httpx's own choice.
    """

    find_links: tuple[str, ...] = ()
    indexes: tuple[str, ...] = (PYPI,)
    ca_bundle: str | None = None


def read_pip_sources(
    environ: Mapping[str, str] = os.environ, config_files: Iterable[Path] | None = None
) -> PipSources:
    """What `environ` and pip's configuration files say; variables win over files, uv's over pip's.

    `config_files`: later ones win; default the places pip reads on this platform.
    """
    config = _read_config(_config_files(environ) if config_files is None else config_files)

    def pip(name: str) -> str:
        return environ.get(f"PIP_{name.upper().replace('-', '_')}") or config.get(name, "")

    main = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or pip("index-url") or PYPI
    uv_extra = [environ.get("UV_INDEX", ""), environ.get("UV_EXTRA_INDEX_URL", "")]
    # an index may be written name=url for uv
    extra = [entry.rpartition("=")[2] if "=http" in entry else entry for entry in _words(*uv_extra)]
    indexes = [main, *extra, *_words(pip("extra-index-url"))]
    no_index = pip("no-index").lower() in {"1", "true", "yes", "on"}
    return PipSources(
        find_links=_unique(_words(environ.get("UV_FIND_LINKS", ""), pip("find-links"))),
        indexes=() if no_index else _unique(indexes),
        ca_bundle=environ.get("SSL_CERT_FILE") or pip("cert") or None,
    )


def _words(*lists: str) -> list[str]:
    """All words of the lists: pip separates by white space, uv by commas."""
    return [word for text in lists for word in re.split(r"[\s,]+", text) if word]


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _config_files(environ: Mapping[str, str]) -> list[Path]:
    """Where pip reads settings, weakest first: global, user, site, PIP_CONFIG_FILE."""
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    places = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    if sys.platform == "darwin":
        places.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
    places += [config_home / "pip" / "pip.conf", Path(sys.prefix) / "pip.conf"]
    return [*places, Path(own)] if own else places


def _read_config(files: Iterable[Path]) -> dict[str, str]:
    """Option -> value. A file that cannot be read or parsed is passed over, as a missing one is."""
    merged: dict[str, dict[str, str]] = {section: {} for section in _PIP_SECTIONS}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        for section in _PIP_SECTIONS:
            if parser.has_section(section):
                merged[section].update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return {**merged["global"], **merged["download"], **merged["install"]}
