"""The cost of safety as a table: what a chat takes without the guard, marked by it, and held back by it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from guard.policy import Mode
from workbench.guard_cost import CostRow

_NAMES = {Mode.OFF: "Without a guard", Mode.SCORE: "Both sides marked", Mode.BLOCK: "Both sides blocked"}


def cost_html(guard: str, model: str, rows: Sequence[CostRow]) -> str:
    """A row for each mode, with the change against the first; medians of calls one at a time."""
    plain = rows[0]
    body = "".join(_row(row, plain) for row in rows)
    heads = "".join(f"<th>{name}</th>" for name in ("", "TTFT", "Tokens/s", "Shown later by"))
    caption = f"Cost of safety: {guard} around {model}, one chat at a time"
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: CostRow, plain: CostRow) -> str:
    held = "" if row.holdback_ms is None else f"{row.holdback_ms:.0f} ms"
    cells = (
        f"{row.first_token_ms:.0f} ms{_change(row.first_token_ms, plain.first_token_ms)}",
        f"{row.tokens_per_second:.1f}{_change(row.tokens_per_second, plain.tokens_per_second)}",
        held,
    )
    return f"<tr><th>{_NAMES[row.mode]}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _change(value: float, plain: float) -> str:
    return "" if value == plain or plain == 0 else f" <small>{100 * (value / plain - 1):+.0f} %</small>"
