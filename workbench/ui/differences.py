"""Where two answers differ, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from html import escape

MAX_WORDS = 1500
"""Longer answers are compared up to here: the matcher's time grows with the square of the length."""

_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def difference_html(base: str, other: str) -> str:
    """`other`, with what `base` does not have marked, and what only `base` has struck out."""
    before, after = _WORD.findall(base)[:MAX_WORDS], _WORD.findall(other)[:MAX_WORDS]
    parts: list[str] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(escape("".join(after[j1:j2])))
            continue
        if i2 > i1:
            parts.append(f"<del>{escape(''.join(before[i1:i2]))}</del>")
        if j2 > j1:
            parts.append(f"<ins>{escape(''.join(after[j1:j2]))}</ins>")
    return "".join(parts)


def differences_html(answers: Sequence[tuple[str, str]]) -> str:
    """Every (title, answer) after the first, compared with the first; "" when there is nothing to compare."""
    told = [(title, answer) for title, answer in answers if answer]
    if len(told) < 2:
        return ""
    (base_title, base), *rest = told
    blocks = "".join(
        f"<section><h3>{escape(title)}, against {escape(base_title)}</h3>"
        + (
            f'<p translate="no">{difference_html(base, answer)}</p>'
            if answer != base
            else "<p><em>The same text.</em></p>"
        )
        + "</section>"
        for title, answer in rest
    )
    return f'<div class="wb-differences">{blocks}</div>'
