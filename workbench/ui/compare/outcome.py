"""What a comparison came to: the numbers of all columns in one table, and where the answers differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from workbench.ui.differences import differences_html
from workbench.ui.thread.metrics import FINISH_REASONS, AnswerMetrics, duration, in_credits

_EXPORT = (
    '<p class="wb-outcome-export">Export the comparison '
    '<button type="button" class="wb-text-button" data-wb-export-comparison="md">Markdown</button>'
    '<button type="button" class="wb-text-button" data-wb-export-comparison="json">JSON</button></p>'
)


@dataclass(frozen=True, slots=True)
class Answered:
    """One column's last answer; `metrics` is None where none came back."""

    title: str
    answer: str
    metrics: AnswerMetrics | None


@dataclass(frozen=True, slots=True)
class _Column:
    """One number of the table.

    `is_better` picks the best of several; None where a short answer would win by being short.
    """

    head: str
    meaning: str
    value: Callable[[AnswerMetrics], float | None]
    written: Callable[[float], str]
    is_better: Callable[[Sequence[float]], float] | None = None


_COLUMNS = (
    _Column("TTFT", "Sent to the first token", lambda of: of.ttft_seconds, duration, min),
    _Column(
        "Tokens/s",
        "(tokens - 1) / (last - first token)",
        lambda of: of.tokens_per_second,
        lambda value: f"{value:.1f}",
        max,
    ),
    _Column("Whole answer", "Sent to the end", lambda of: of.seconds, duration),
    _Column("In", "Tokens of the prompt", lambda of: of.prompt_tokens, lambda value: f"{value:,.0f}"),
    _Column("Out", "Tokens of the answer", lambda of: of.completion_tokens, lambda value: f"{value:,.0f}"),
    _Column("Credits", "Tokens x the model's price", lambda of: of.cost, in_credits),
)


def outcome_html(answers: Sequence[Answered]) -> str:
    """The numbers, a way to keep them, and the differences, folded; "" while fewer than two answers came back."""
    measured = [(answer.title, answer.metrics) for answer in answers if answer.metrics is not None]
    if len(measured) < 2:
        return ""
    differences = differences_html([(answer.title, answer.answer) for answer in answers])
    folded = (
        f'<details class="wb-disclosure"><summary>Where the answers differ</summary>{differences}</details>'
        if differences
        else ""
    )
    return f'<div class="wb-outcome">{_numbers_html(measured)}{_EXPORT}{folded}</div>'


def _numbers_html(measured: Sequence[tuple[str, AnswerMetrics]]) -> str:
    """A row for each column; the best of each number is marked where all ran under the same conditions."""
    all_metrics = [metrics for _, metrics in measured]
    is_fair = len({metrics.conditions for metrics in all_metrics}) == 1
    heads = "".join(
        f'<th scope="col" title="{escape(column.meaning)}">{column.head}</th>' for column in _COLUMNS
    )
    best = [_best(column, all_metrics) if is_fair else None for column in _COLUMNS]
    rows = "".join(_row(title, metrics, best) for title, metrics in measured)
    return (
        '<div class="wb-table wb-side-by-side" tabindex="0" role="region" aria-label="The numbers side by side">'
        f'<table><thead><tr><th scope="col">Model</th>{heads}'
        f'<th scope="col">Ended</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _best(column: _Column, all_metrics: Sequence[AnswerMetrics]) -> float | None:
    """The best value, where there is more than one to choose from."""
    values = [value for metrics in all_metrics if (value := column.value(metrics)) is not None]
    if column.is_better is None or len(set(values)) < 2:
        return None
    return column.is_better(values)


def _row(title: str, metrics: AnswerMetrics, best: Sequence[float | None]) -> str:
    cells = "".join(
        _cell(column, column.value(metrics), wanted) for column, wanted in zip(_COLUMNS, best, strict=True)
    )
    ended, meaning = FINISH_REASONS.get(metrics.finish_reason, (metrics.finish_reason, ""))
    badge = f'<span class="wb-conditions">{escape(metrics.conditions)}</span>' if metrics.conditions else ""
    end = f'<td title="{escape(meaning)}">{escape(ended)}</td>'
    return f'<tr><th scope="row">{escape(title)} {badge}</th>{cells}{end}</tr>'


def _cell(column: _Column, value: float | None, best: float | None) -> str:
    if value is None:
        return "<td>–</td>"
    text = escape(column.written(value))
    return (
        f'<td><b>{text}<span class="wb-sr"> (best)</span></b></td>' if value == best else f"<td>{text}</td>"
    )
