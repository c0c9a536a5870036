"""Which charts the report shows, and what they say to those who cannot see them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from evaluators.base import Scale
from evaluators.requirements import Metric
from evaluators.speed import distribution
from evaluators.stats import Estimate
from evaluators.timing import Latency, RequestClass, latencies_ms
from workbench.experiments.report.charts import (
    Axis,
    Bar,
    Line,
    Point,
    Span,
    cumulative,
    dot_chart,
    interval_chart,
    line_chart,
    marked_line_chart,
    scatter_chart,
)
from workbench.experiments.report.sections import mode_of
from workbench.experiments.report.words import milliseconds, percent, score_words, short
from workbench.experiments.results.load import LevelResult, LoadResult
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.scores import ProbeScore

_GUESSING = 0.5


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure."""

    title: str
    svg: Markup
    caption: str
    is_timed: bool = True
    """Whether its numbers depend on what else ran on the machine."""


def pictures(results: Results, cost_name: str) -> list[Chart]:
    """The figures there are data for."""
    names = [candidate.name for candidate in results.experiment.candidates]
    made = [
        _quality(results, names),
        _quality_and_cost(results, names, cost_name),
        _distribution(results, names, Latency.TTFT, "Time to first token"),
        _distribution(results, names, Latency.END_TO_END, "Time to the whole answer"),
        _over_time(results, names),
        _sweep(results, names),
        _goodput(results, names),
    ]
    modes = _modes(results)
    return [
        replace(chart, caption=f"{chart.caption} {modes}") if chart.is_timed else chart
        for chart in made
        if chart is not None
    ]


def _modes(results: Results) -> str:
    """What the timed charts were measured under."""
    words = [f"{verdict.candidate}: {mode_of(results, verdict)[0]}" for verdict in results.verdicts]
    return f"Timed: {', '.join(words)}."


def span_of(estimate: Estimate) -> Span:
    """The estimate's value and the ends of its interval that are known."""
    interval = estimate.interval
    if interval is None:
        return Span(estimate.value, estimate.value, estimate.value)
    low = interval.low if math.isfinite(interval.low) else None
    return Span(estimate.value, low, interval.high if math.isfinite(interval.high) else None)


def _quality(results: Results, names: Sequence[str]) -> Chart | None:
    changed = {p.name for p in results.experiment.probes if p.baseline or p.answers_of}
    rates = [s for s in results.scores if s.scale is not Scale.NUMBER and s.probe not in changed]
    shown = [s for s in rates if s.summary.estimate is not None]
    if not shown:
        return None
    bars = [Bar(s.title, s.candidate, names.index(s.candidate), span_of(e)) for s in shown
            if (e := s.summary.estimate) is not None]  # fmt: skip
    words = "; ".join(f"{s.title}, {s.candidate}: {score_words(s.summary.estimate, s.scale)}" for s in shown)
    svg = interval_chart(bars, Axis("mean score", 0.0, 1.0, percent), f"Quality. {words}", _GUESSING)
    return Chart(
        "Quality, with 95 % intervals",
        svg,
        "The dashed line is one half: guessing, where there are two choices; no lean, in stereotype pairs.",
        is_timed=False,
    )


def headline_score(results: Results, candidate: str) -> ProbeScore | None:
    """The probe that stands for quality where there is room for one: the team's own, else the first."""
    own = [
        s for s in results.scores
        if s.candidate == candidate and s.is_higher_better and s.summary.estimate is not None
    ]  # fmt: skip
    return own[-1] if own and own[-1].probe == "your-data" else next(iter(own), None)


def _quality_and_cost(results: Results, names: Sequence[str], cost_name: str) -> Chart | None:
    points: list[Point] = []
    words: list[str] = []
    title = ""
    for name in names:
        load, score = results.load(name), headline_score(results, name)
        if load is None or score is None or score.summary.estimate is None or load.throughput.value <= 0:
            continue
        title = score.title
        points.append(Point(name, names.index(name), span_of(load.cost), span_of(score.summary.estimate)))
        words.append(f"{name}: {short(load.cost.value)}, {score_words(score.summary.estimate, score.scale)}")
    if not points:
        return None
    most = max(p.x.value if p.x.high is None else p.x.high for p in points) * 1.1
    svg = scatter_chart(
        points,
        Axis(cost_name, 0.0, most or 1.0, short),
        Axis(title, 0.0, 1.0, percent),
        f"{title} against {cost_name.lower()}. {'; '.join(words)}",
    )
    return Chart(
        f"{title} against cost",
        svg,
        "Better is up and to the left. The cost is that of this machine at the load it was tested under.",
    )


def _distribution(results: Results, names: Sequence[str], latency: Latency, title: str) -> Chart | None:
    values = {
        load.candidate: latencies_ms(load.timings, latency, load.origin).tolist() for load in results.loads
    }
    values = {name: found for name, found in values.items() if found}
    if not values:
        return None
    lines = [Line(name, names.index(name), cumulative(found)) for name, found in values.items()]
    most = max(max(found) for found in values.values())
    words = "; ".join(
        f"{name}: half within {milliseconds(sorted(v)[len(v) // 2])}" for name, v in values.items()
    )
    asked = [r.limit for r in results.experiment.parsed_requirements if r.metric is Metric.TTFT_P95]
    svg = line_chart(
        lines,
        Axis("milliseconds since the request was due", 0.0, most * 1.05, short),
        Axis("share of requests", 0.0, 1.0, percent),
        f"{title}. {words}",
        limit=asked[0] if asked and latency is Latency.TTFT else None,
    )
    return Chart(title, svg, "The share of requests answered within a time. Further left is faster.")


def _over_time(results: Results, names: Sequence[str]) -> Chart | None:
    lines = [Line(load.candidate, names.index(load.candidate), _answers(load)) for load in results.loads]
    points = [point for line in lines for point in line.points]
    if not points:
        return None
    svg = dot_chart(
        lines,
        Axis("seconds into the load test", 0.0, max(x for x, _ in points) * 1.05 or 1.0, short),
        Axis("", 0.0, max(y for _, y in points) * 1.1 or 1.0, milliseconds),
        f"Every answered request of the load tests, {len(points)} in all",
    )
    return Chart(
        "Each request of the load test",
        svg,
        "When it was due, and how long its whole answer took. Dots that climb mean that requests pile up.",
    )


def _sweep(results: Results, names: Sequence[str]) -> Chart | None:
    """TTFT p95 over the offered rate, a line for each candidate that was loaded at several rates."""
    lines = [_over_rates(load, names, _ttft_p95) for load in results.loads if len(load.levels) > 1]
    limit = next(
        (r.limit for r in results.experiment.parsed_requirements if r.metric is Metric.TTFT_P95), None
    )
    reading = "Where a line turns up steeply, the candidate is saturated."
    asked = "" if limit is None else f" At most {milliseconds(limit)} was asked for."
    return _rate_chart(lines, "First token over the load", "first token, p95", milliseconds, reading + asked)


def _goodput(results: Results, names: Sequence[str]) -> Chart | None:
    """Good requests a minute over the offered ones."""
    lines = [_over_rates(load, names, _good_a_minute) for load in results.loads if len(load.levels) > 1]
    return _rate_chart(lines, "Goodput over the load", "good requests a minute", short,
                       "Requests a minute that were answered within every limit. A line that bends away from the "
                       "diagonal has stopped keeping up.")  # fmt: skip


def _rate_chart(
    lines: Sequence[Line], title: str, y_title: str, write: Callable[[float], str], caption: str
) -> Chart | None:
    points = [point for line in lines for point in line.points]
    if not points:
        return None
    words = "; ".join(
        f"{line.label}: {', '.join(f'{write(y)} at {short(x)} a minute' for x, y in line.points)}"
        for line in lines
    )
    svg = marked_line_chart(
        lines,
        Axis("requests offered a minute", 0.0, max(x for x, _ in points) * 1.05, short),
        Axis(y_title, 0.0, max(y for _, y in points) * 1.1 or 1.0, write),
        f"{title}. {words}",
    )
    return Chart(title, svg, caption)


def _over_rates(load: LoadResult, names: Sequence[str], value: Callable[[LevelResult], float | None]) -> Line:
    points = ((level.level.offered_rate * 60, value(level)) for level in load.levels)
    return Line(
        load.candidate, names.index(load.candidate), tuple((x, y) for x, y in points if y is not None)
    )


def _ttft_p95(level: LevelResult) -> float | None:
    return distribution(latencies_ms(level.timings, Latency.TTFT, level.origin)).p95


def _good_a_minute(level: LevelResult) -> float | None:
    return level.level.goodput * 60


def _answers(load: LoadResult) -> tuple[tuple[float, float], ...]:
    ok = [t for t in load.timings if t.outcome is RequestClass.OK]
    begin = min((t.scheduled for t in load.timings), default=0.0)
    return tuple((t.scheduled - begin, (t.end - t.scheduled) * 1000) for t in ok)
