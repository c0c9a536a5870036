"""What stands for and against a model on this machine, as a short list with a sign for each line."""

from __future__ import annotations

from html import escape

from workbench.feasibility import Feasibility, Fit
from workbench.ui.assets import icon

_GIB = 2**30
_SIGNS = {True: ("check", "yes"), False: ("close", "no"), None: ("info", "unknown")}


def feasibility_html(found: Feasibility, name: str) -> str:
    """The list under the model's name."""
    lines = "".join(_line(is_good, title, text) for is_good, title, text in _lines(found))
    return f'<div class="wb-facts-card"><strong>{escape(name)} on this machine</strong><ul>{lines}</ul></div>'


def unknown_html(reason: str) -> str:
    """That nothing can be said, and why."""
    return (
        '<div class="wb-facts-card"><strong>Would it run here? Unknown</strong>'
        f"<ul>{_line(None, 'Not asked', reason)}</ul></div>"
    )


def _line(is_good: bool | None, title: str, text: str) -> str:
    sign, word = _SIGNS[is_good]
    return (
        f'<li class="wb-sign-{word}">{icon(sign)}<span class="wb-sr">{word}: </span>'
        f"<span><b>{escape(title)}</b> {escape(text)}</span></li>"
    )


def _lines(found: Feasibility) -> list[tuple[bool | None, str, str]]:
    facts = found.facts
    lines = [_memory(found), _architecture(found), _disk(found)]
    if facts.is_gated:
        lines.append(
            (None, "Gated:", "its licence must be accepted on the hub, and HF_TOKEN set on this server.")
        )
    else:
        lines.append((True, "Not gated:", f"licence {facts.licence or 'not stated'}."))
    return lines


def _memory(found: Feasibility) -> tuple[bool | None, str, str]:
    if found.needed_bytes is None:
        return None, "Memory:", "the number of parameters is not known."
    needs = f"needs about {_gib(found.needed_bytes)} GiB, {_gib(found.memory.free)} GiB are free"
    said = {
        Fit.NOW: (True, f"{needs}."),
        Fit.ALONE: (True, f"{needs}; it fits once models that are loaded now make room."),
        Fit.TOO_LARGE: (False, f"{needs}, also without the models that are loaded. int8 or nf4 take less."),
    }
    is_good, text = said.get(found.fit, (None, f"{needs}."))
    return is_good, "Memory:", text


def _architecture(found: Feasibility) -> tuple[bool | None, str, str]:
    name = found.facts.architecture
    if name is None:
        return None, "Architecture:", "not known."
    says = "is one" if found.is_supported else "is not one"
    return found.is_supported, "Architecture:", f"{name} {says} that the installed transformers can load."


def _disk(found: Feasibility) -> tuple[bool | None, str, str]:
    size = found.facts.download_bytes
    if size == 0:
        return True, "Files:", "they are on this machine already."
    if size is None:
        return (
            None,
            "Download:",
            f"its size is not known; {_gib(found.disk_free_bytes)} GiB of disk are free.",
        )
    text = f"{_gib(size)} GiB to bring, {_gib(found.disk_free_bytes)} GiB of disk are free."
    return found.has_room_on_disk, "Download:", text


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f}"
