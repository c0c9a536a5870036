"""Plain tables: every cell is text and escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape


def table_html(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    """A table of plain texts; `empty` is said in its place when there are no rows."""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return f'<p class="wb-empty">{escape(empty)}</p>'
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wb-table" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def minute(moment: datetime | None, otherwise: str = "") -> str:
    """A moment as people read it, in UTC."""
    return otherwise if moment is None else moment.strftime("%Y-%m-%d %H:%M")
