"""Use by day and model as stacked bars: plain markup, in the page's colours and with a name for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from workbench.store import DayOfUse

COLOURS = 6
"""Kinds of segments that css/account.css colours; the models beyond them share the last one."""


def usage_chart(use: Sequence[DayOfUse], unit: str, days: int, today: date) -> str:
    """A bar for each of the last `days` UTC days, a segment for each model; "" when nothing was used.

    `unit` is "tokens" or "credits".
    """
    sums: dict[tuple[date, str], float] = {}
    for entry in use:
        key = (entry.day, entry.model)
        amount = entry.credits if unit == "credits" else entry.prompt_tokens + entry.completion_tokens
        sums[key] = sums.get(key, 0.0) + amount
    models = sorted({model for _, model in sums})
    shown = [today - timedelta(days=back) for back in reversed(range(days))]
    totals = {day: sum(sums.get((day, model), 0.0) for model in models) for day in shown}
    most = max(totals.values(), default=0.0)
    if most <= 0:
        return ""
    bars = "".join(
        _bar(day, [(model, sums.get((day, model), 0.0)) for model in models], most, unit) for day in shown
    )
    label = f"{unit.capitalize()} a day over {days} days, {amount_text(sum(totals.values()), unit)} in all"
    legend = "".join(
        f'<li><i class="wb-c{_kind(place)}"></i>{escape(model)}</li>' for place, model in enumerate(models)
    )
    return (
        f'<figure class="wb-usage"><figcaption>{escape(label)}; the highest day has {amount_text(most, unit)}'
        f'</figcaption><div class="wb-usage-bars" role="img" aria-label="{escape(label)}">{bars}</div>'
        f'<div class="wb-usage-days"><span>{shown[0].isoformat()}</span><span>{shown[-1].isoformat()}</span></div>'
        f"<ul>{legend}</ul></figure>"
    )


def amount_text(amount: float, unit: str) -> str:
    """Tokens as a whole number, credits with four digits behind the point."""
    return f"{amount:,.4f} credits" if unit == "credits" else f"{amount:,.0f} tokens"


def _bar(day: date, amounts: Sequence[tuple[str, float]], most: float, unit: str) -> str:
    segments = "".join(
        f'<i class="wb-c{_kind(place)}" style="height:{100 * amount / most:.2f}%" '
        f'title="{day.isoformat()} {escape(model)}: {amount_text(amount, unit)}"></i>'
        for place, (model, amount) in enumerate(amounts)
        if amount > 0
    )
    return f"<span>{segments}</span>"


def _kind(place: int) -> int:
    return min(place, COLOURS - 1)
