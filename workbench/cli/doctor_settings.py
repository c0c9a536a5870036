"""What the settings and the catalogue ask for and this machine has not: `workbench doctor`'s look at them."""

from __future__ import annotations

import difflib
import errno
import importlib.util
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from workbench.cli.finding import Finding
from workbench.core.backend import ModelCard
from workbench.core.errors import WorkbenchError
from workbench.core.settings import Settings

_PREFIX = "WORKBENCH_"
_OTHERS = frozenset({"WORKBENCH_API_KEY"})
"""Read by commands and by generated code, but no setting of the server."""


def asked_for(settings: Settings) -> Iterator[Finding]:
    """The settings' findings: unknown variables, catalogue, each model that cannot be had, guard, address."""
    yield from unknown_variables(os.environ)
    yield from _catalogue(settings)
    yield address(settings)


def unknown_variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look like settings and are none; a misspelled one would change nothing in silence."""
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields} | _OTHERS
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in known and not name.startswith("WORKBENCH_TEST_"):
            near = difflib.get_close_matches(name, sorted(known), 1)
            cure = f"Did you mean {near[0]}?" if near else "Unset it: no setting has this name."
            yield Finding("setting", f"{name} is no setting", is_fine=False, cure=cure)


def _catalogue(settings: Settings) -> Iterator[Finding]:
    from workbench.backends.added import open_catalogue
    from workbench.site import make_workbench

    try:
        catalogue = open_catalogue(settings)
    except WorkbenchError as failure:
        yield Finding("catalogue", "broken", is_fine=False, cure=failure.message)
        return
    cards = catalogue.cards
    yield Finding("catalogue", f"{len(cards)} models, default {next(iter(cards))}")
    for card in cards.values():
        yield from missing_for(card, os.environ)
    try:
        make_workbench(settings, catalogue)
    except WorkbenchError as failure:
        yield Finding("guard", "broken", is_fine=False, cure=failure.message)


def missing_for(card: ModelCard, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What this entry needs and cannot have; nothing is loaded and nobody is asked."""
    if card.api_key_env is not None and not environment.get(card.api_key_env):
        yield Finding(
            "model",
            f"{card.id} has no key",
            is_fine=False,
            cure=f"Set {card.api_key_env} to its endpoint's key.",
        )
    if card.backend == "ray" and importlib.util.find_spec("ray") is None:
        yield Finding(
            "model",
            f"{card.id} needs Ray",
            is_fine=False,
            cure="Install the extra: pip install 'model-workbench[ray]'.",
        )
    if card.backend in {"local", "ray"}:
        yield from _missing_files(card)


def _missing_files(card: ModelCard) -> Iterator[Finding]:
    path = Path(card.source).expanduser()
    is_path = card.source.startswith((".", "~")) or path.is_absolute() or path.suffix == ".gguf"
    if is_path and not path.exists():
        cure = f"{path} does not exist. Correct `source` in the catalogue."
        yield Finding("model", f"{card.id} has no files", is_fine=False, cure=cure)
    elif path.is_dir() and card.gguf_file is not None and not (path / card.gguf_file).is_file():
        cure = f"{path} has no file {card.gguf_file}. Correct `gguf_file` in the catalogue."
        yield Finding("model", f"{card.id} has no files", is_fine=False, cure=cure)


def address(settings: Settings) -> Finding:
    """Whether the server could listen where it is told to."""
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        cure = "Set WORKBENCH_HOST to 127.0.0.1, or to another address of this machine."
        return Finding("port", f"{settings.host} is no address", is_fine=False, cure=cure)
    with socket.socket(family, kind, protocol) as probe:
        if settings.port != 0 and probe.connect_ex(target) == 0:
            # A taken port is nothing to cure when it is this server that runs there.
            return Finding("port", f"{place} answers already")
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(target)
        except OSError as failure:
            return Finding("port", f"{place} cannot be used", is_fine=False, cure=_why_no_address(failure))
    return Finding("port", f"{place} is free")


def _why_no_address(failure: OSError) -> str:
    if failure.errno == errno.EACCES:
        return "This user may not listen there. Set WORKBENCH_PORT to 1024 or above."
    if failure.errno == errno.EADDRNOTAVAIL:
        return "It is no address of this machine. Set WORKBENCH_HOST to one that is, or to 127.0.0.1."
    return f"{failure.strerror}. Set WORKBENCH_HOST and WORKBENCH_PORT to a free place."
