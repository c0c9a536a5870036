"""Calls that were made with the account's keys, anywhere: numbers without content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from workbench.recent_calls import RecentCall
from workbench.ui.thread.metrics import duration

_HEADS = ("When (UTC)", "Key", "Model", "Status", "First token", "Took", "In", "Out")
_NONE = (
    '<p class="wb-none">Nothing yet. Calls made with your keys appear here as they end: times and token counts, never '
    "what was said.</p>"
)
_MEANINGS = {"499": "the caller left"}


def elsewhere_html(calls: Sequence[RecentCall], names: Mapping[str, str]) -> str:
    """The calls as a table, newest first; `names` are the keys' names by id."""
    if not calls:
        return _NONE
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in _HEADS)
    rows = "".join(f"<tr>{_row(call, names)}</tr>" for call in calls)
    return (
        '<div class="wb-table" tabindex="0" role="region" aria-label="Calls of your keys"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(call: RecentCall, names: Mapping[str, str]) -> str:
    first = "" if call.ttft_seconds is None else duration(call.ttft_seconds)
    cells = (
        f"{call.at:%H:%M:%S}",
        names.get(call.key_id, call.key_id[:8]),
        call.model.rpartition("/")[2],
        _MEANINGS.get(call.status, call.status),
        first,
        duration(call.seconds),
        f"{call.prompt_tokens:,}",
        f"{call.completion_tokens:,}",
    )
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)
