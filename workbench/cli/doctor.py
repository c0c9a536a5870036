"""`workbench doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import typer

from workbench.cli.doctor_settings import asked_for
from workbench.cli.finding import Finding
from workbench.core.errors import Unavailable, WorkbenchError
from workbench.core.settings import Settings, read_settings

_GIB = 2**30
_ROOM_NEEDED_BYTES = 2 * _GIB


def doctor() -> None:
    """Say what this machine has, what is missing and how to get it."""
    settings = read_settings()
    findings = [
        *_machine(),
        *_home(settings),
        *_libraries(),
        _store(settings),
        *asked_for(settings),
        *_room(settings),
    ]
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.is_fine else 'to mend'}  {finding.name:<14}  {finding.value}")
        if not finding.is_fine:
            typer.echo(f"         {'':<14}  {finding.cure}")
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


def _machine() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("processors", str(os.cpu_count()))
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Finding("memory", f"{total / _GIB:.1f} GiB")
    yield Finding("accelerator", _accelerator())
    yield Finding("compiler", _compiler())


def _compiler() -> str:
    if importlib.util.find_spec("torch") is None:
        return "unknown without torch"
    from workbench.engine.compiled import can_compile

    if can_compile():
        return "found; layers are compiled for this processor, once"
    return "none; models run without compiled layers, int8 at about two thirds of its speed. Install g++."


def _accelerator() -> str:
    if importlib.util.find_spec("torch") is None:
        return "unknown without torch"
    import torch

    if not torch.cuda.is_available():
        return "none; models run on the processors"
    cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return ", ".join(f"{card.name}, {card.total_memory / _GIB:.0f} GiB" for card in cards)


def _home(settings: Settings) -> Iterator[Finding]:
    existing = next(folder for folder in (settings.home, *settings.home.parents) if _is_there(folder))
    problem = "cannot be written" if existing.is_dir() else "is a file"
    yield Finding(
        "home",
        str(settings.home),
        existing.is_dir() and os.access(existing, os.W_OK | os.X_OK),
        f"{existing} {problem}. Point WORKBENCH_HOME elsewhere.",
    )
    free = shutil.disk_usage(existing).free
    yield Finding(
        "disk",
        f"{free / _GIB:.1f} GiB free",
        free >= _ROOM_NEEDED_BYTES,
        f"{_ROOM_NEEDED_BYTES // _GIB} GiB are needed for the embedded model. Free some, or move WORKBENCH_HOME.",
    )


def _is_there(folder: Path) -> bool:
    """Whether it exists; one behind a folder that this user may not enter counts as missing."""
    try:
        return folder.exists()
    except PermissionError:
        return False


def _libraries() -> Iterator[Finding]:
    for name in ("torch", "transformers", "gradio", "bitsandbytes", "llguidance"):
        try:
            yield Finding(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed", False, "Run `make install` in a checkout.")


def _store(settings: Settings) -> Finding:
    """Of which version the store is; it is neither made nor changed."""
    from workbench.store import FILE_NAME
    from workbench.store.migrations import HEAD
    from workbench.store.opening import sqlite_path
    from workbench.store.upgrade import known_versions

    address = settings.database_url or settings.home / FILE_NAME
    try:
        file = sqlite_path(address)
        if file is not None and not file.exists():
            return Finding("store", "none yet; the first start makes it")
        version = asyncio.run(_version_of(address))
    except Unavailable as failure:
        cure = f"{failure.message} Start it, or correct WORKBENCH_DATABASE_URL."
        return Finding("store", "does not answer", False, cure)
    except WorkbenchError as failure:
        return Finding("store", "cannot be used", False, failure.message)
    if version is None:
        return Finding("store", "empty; the next start makes its tables")
    if version not in known_versions():
        newer = f"A newer Workbench made it; this one goes up to {HEAD}. Update Workbench."
        return Finding("store", f"version {version}", False, newer)
    is_newest = version == HEAD
    return Finding("store", f"version {version}" + ("" if is_newest else f"; the next start makes it {HEAD}"))


async def _version_of(address: str | Path) -> str | None:
    """The version of the database there. Raises: ConfigurationError, Unavailable."""
    from workbench.store.opening import open_database
    from workbench.store.upgrade import current_version

    database = open_database(address)
    try:
        return await database.read(current_version)
    finally:
        await database.close()


def _room(settings: Settings) -> Iterator[Finding]:
    """What the memory that is free now can hold."""
    if importlib.util.find_spec("torch") is None:
        return
    from workbench.backends.added import open_catalogue
    from workbench.engine.memory import free_for_models
    from workbench.fitting import cache_room, model_list, offers, this_machine

    free = free_for_models()
    machine = this_machine(free)
    speed = "unknown" if machine.bandwidth is None else f"{machine.bandwidth / 1e9:.0f} GB/s"
    yield Finding(
        "free memory", f"{free / _GIB:.1f} GiB for models; read at {speed} ({machine.bandwidth_source})"
    )
    try:
        card = open_catalogue(settings).default
    except WorkbenchError:
        return  # reported as the catalogue's finding
    room = cache_room(card, settings, free)
    if room is None:
        yield Finding("kv cache", f"unknown before {card.id} is loaded")
    else:
        holds = f"{room.budget_bytes / _GIB:.1f} GiB hold {room.tokens:,} tokens of {card.id}"
        yield Finding("kv cache", f"{holds}: {room.answers} answers at once of {room.context:,} tokens each")
    listed = model_list()
    best = {offer.model.id: offer for offer in reversed(offers(machine, listed.models)) if offer.fits}
    for offer in reversed(best.values()):
        speed = "" if offer.tokens_per_second is None else f", at most {offer.tokens_per_second:.1f} tokens/s"
        precision = "" if offer.quantization == "none" else f" in {offer.quantization}"
        yield Finding("would fit", f"{offer.model.id}{precision}: {offer.weight_bytes / 1e9:.1f} GB{speed}")
    left_out = len(listed.models) - len(best)
    yield Finding("list", f"checked {listed.checked_on}; {left_out} of {len(listed.models)} are too large")
