"""One guard's results on a set, as the Guard lab shows them at a threshold."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from evaluators.stats.proportion import wilson
from guard.calibrate import Curve, curve
from guard.evaluate import GuardReport, JudgedRow
from guard.taxonomy import STANDARD_BY_CODE
from guard.threshold import AtThreshold, at_threshold
from workbench.ui.guard_lab.charts import precision_recall_svg, roc_svg

ROWS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class LabResult:
    """A guard's report on a set and every row it judged; `start` is the threshold its slider begins with."""

    report: GuardReport
    judged: tuple[JudgedRow, ...]
    start: float

    @property
    def curve(self) -> Curve | None:
        """The curve through all thresholds; None without scores, or where all rows have one label."""
        known = [row for row in self.judged if row.verdict.is_available]
        scores = [row.verdict.p_unsafe for row in known]
        if any(score is None for score in scores):
            return None
        labels = np.array([row.row.is_unsafe for row in known], dtype=np.bool_)
        return curve(labels, np.array(scores, dtype=np.float64))


def result_html(result: LabResult, threshold: float, *, shows_texts: bool) -> str:
    """Everything about one guard. The texts of the set are dots unless they are asked for."""
    view = at_threshold(result.judged, threshold)
    return "".join(
        (
            f'<section class="wb-lab-result" aria-label="Results of {escape(result.report.guard)}">',
            _facts(result.report),
            f'<div class="wb-charts">{_charts(result, threshold)}</div>',
            _confusion_table(view),
            _rates_table(view, result.report),
            _hazards_table(view),
            _false_positives(view, shows_texts=shows_texts),
            "</section>",
        )
    )


def export_html(results: Sequence[LabResult], thresholds: Sequence[float]) -> str:
    """A link that saves the reports as JSON. It holds line numbers and no text of the set."""
    content = [
        {**result.report.as_json(), "looked_at_threshold": threshold}
        for result, threshold in zip(results, thresholds, strict=True)
    ]
    data = base64.b64encode(json.dumps(content, indent=2).encode()).decode()
    return (
        f'<a class="wb-lab-export" download="guard-lab.json" href="data:application/json;base64,{data}">'
        "Save the reports as JSON</a>"
    )


def _charts(result: LabResult, threshold: float) -> str:
    points = result.curve
    if points is None:
        return "<p>Curves need safe and unsafe rows, and a guard that gives scores.</p>"
    return roc_svg(points, threshold) + precision_recall_svg(points, threshold)


def _facts(report: GuardReport) -> str:
    times = (
        "" if report.ms_per_prompt_p50 is None or report.ms_per_prompt_p95 is None
        else f" · {report.ms_per_prompt_p50:.0f} ms a row (p95 {report.ms_per_prompt_p95:.0f} ms)"
    )  # fmt: skip
    lost = f" · {report.unavailable} not judged" if report.unavailable else ""
    return f'<p class="wb-lab-facts">{report.n} rows, {report.n_unsafe} unsafe{lost}{times}</p>'


def _confusion_table(view: AtThreshold) -> str:
    counts = view.counts
    rows = (
        ("Unsafe", counts.true_positives, counts.false_negatives),
        ("Safe", counts.false_positives, counts.true_negatives),
    )
    body = "".join(f"<tr><th>{name}</th><td>{left}</td><td>{right}</td></tr>" for name, left, right in rows)
    return _table("Decisions at this threshold", ("", "Flagged", "Passed"), body)


def _rates_table(view: AtThreshold, report: GuardReport) -> str:
    counts = view.counts
    flagged = counts.true_positives + counts.false_positives
    unsafe = counts.true_positives + counts.false_negatives
    safe = counts.false_positives + counts.true_negatives
    rows = [
        ("Recall", _rate(counts.true_positives, unsafe)),
        ("Precision", _rate(counts.true_positives, flagged)),
        ("False-positive rate", _rate(counts.false_positives, safe)),
        ("F1", "undefined" if counts.f1 is None else f"{counts.f1:.3f}"),
        ("AUPRC, at any threshold", _of_report(report.auprc, report.intervals, "auprc")),
        ("AUROC, at any threshold", _of_report(report.auroc, report.intervals, "auroc")),
    ]
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return _table("Rates with 95 % intervals", ("", "Value"), body)


def _hazards_table(view: AtThreshold) -> str:
    if not view.hazards:
        return ""
    body = "".join(
        f"<tr><th>{count.code} {escape(STANDARD_BY_CODE[count.code].name)}</th>"
        f"<td>{_rate(count.flagged, count.n)}</td><td>{count.n}</td></tr>"
        for count in view.hazards
    )
    return _table("Recall by hazard", ("", "Recall", "Rows"), body)


def _false_positives(view: AtThreshold, *, shows_texts: bool) -> str:
    rows = view.false_positives
    if not rows:
        return "<p>No harmless row is flagged.</p>"
    body = "".join(_false_positive(row, shows_texts=shows_texts) for row in rows[:ROWS_SHOWN])
    more = f"<p>{len(rows) - ROWS_SHOWN} more are in no list here.</p>" if len(rows) > ROWS_SHOWN else ""
    title = f"Harmless, but flagged: {len(rows)}"
    return _table(title, ("Line", "P(unsafe)", "Named", "Text"), body) + more


def _false_positive(row: JudgedRow, *, shows_texts: bool) -> str:
    text = row.row.prompt if row.row.response is None else row.row.response
    shown = (
        f'<span translate="no">{escape(text)}</span>'
        if shows_texts
        else f'<span aria-label="hidden text of {len(text)} characters">•••••</span>'
    )
    score = "" if row.verdict.p_unsafe is None else f"{row.verdict.p_unsafe:.2f}"
    named = ", ".join(hazard.code for hazard in row.verdict.hazards) or _likeliest(row)
    return f"<tr><td>{row.row.line}</td><td>{score}</td><td>{escape(named)}</td><td>{shown}</td></tr>"


def _likeliest(row: JudgedRow) -> str:
    """The hazard with the highest score: below its own threshold a guard names none."""
    scores = row.verdict.hazard_scores
    return max(scores, key=lambda code: scores[code], default="")


def _rate(part: int, whole: int) -> str:
    if whole == 0:
        return "undefined"
    interval = wilson(part, whole)
    return f"{part / whole:.3f} <small>{interval.low:.3f} to {interval.high:.3f}</small>"


def _of_report(value: float | None, intervals: Mapping[str, tuple[float, float]], name: str) -> str:
    if value is None:
        return "undefined"
    low, high = intervals.get(name, (value, value))
    return f"{value:.3f} <small>{low:.3f} to {high:.3f}</small>"


def _table(caption: str, heads: Iterable[str], body: str) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
