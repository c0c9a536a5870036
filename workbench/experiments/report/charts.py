"""Charts as inline SVG. Colours are classes, so that the page's style sheet serves light and dark.

A series is told apart by its mark as well as by its colour, and every chart is described in words for those who
cannot see it. All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

WIDTH = 640
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 12, 44
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A value with the interval around it; an end that is unknown or unbounded is None."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of an interval chart. `series` is the candidate's place, 0 to 3."""

    group: str
    label: str
    series: int
    span: Span


@dataclass(frozen=True, slots=True)
class Point:
    """One mark of a scatter chart."""

    label: str
    series: int
    x: Span
    y: Span


@dataclass(frozen=True, slots=True)
class Line:
    """Points in order of x."""

    label: str
    series: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: its title, its ends, and how its numbers are written."""

    title: str
    low: float
    high: float
    write: Callable[[float], str]

    def ticks(self) -> list[float]:
        """Round numbers between the ends."""
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def interval_chart(
    bars: Sequence[Bar], axis: Axis, description: str, reference: float | None = None
) -> Markup:
    """A dot with its interval for each bar, groups one below the other; `reference` draws a line."""
    row, head = 22, 26
    groups = list(dict.fromkeys(bar.group for bar in bars))
    height = _TOP + len(groups) * head + len(bars) * row + _BOTTOM
    plot = _Plot(axis, Axis("", 0, 1, str), height, left=180)
    parts = [plot.x_axis()]
    if reference is not None:
        parts.append(plot.vertical(reference, "reference"))
    y = float(_TOP)
    for group in groups:
        y += head
        parts.append(_text(8, y - 8, group, "head"))
        for bar in (bar for bar in bars if bar.group == group):
            parts += [_text(8, y + 8, bar.label, "label"), plot.whisker(bar.span, y + 4, bar.series)]
            parts.append(_mark(plot.x(bar.span.value), y + 4, bar.series))
            y += row
    return _svg(parts, height, description)


def scatter_chart(points: Sequence[Point], x: Axis, y: Axis, description: str) -> Markup:
    """A mark for each point, with its intervals both ways."""
    plot = _Plot(x, y, 300)
    parts = [plot.x_axis(), plot.y_axis()]
    for point in points:
        at_x, at_y = plot.x(point.x.value), plot.y(point.y.value)
        parts += [plot.whisker(point.x, at_y, point.series), plot.upright(point.y, at_x, point.series)]
        parts.append(_mark(at_x, at_y, point.series))
    return _svg(parts, 300, description)


def line_chart(
    lines: Sequence[Line], x: Axis, y: Axis, description: str, *, limit: float | None = None
) -> Markup:
    """A line for each series; `limit` marks a value of x."""
    plot = _Plot(x, y, 280)
    parts = [plot.x_axis(), plot.y_axis()]
    if limit is not None and x.low <= limit <= x.high:
        parts.append(plot.vertical(limit, "limit"))
    for line in lines:
        path = " ".join(f"{plot.x(a):.1f},{plot.y(b):.1f}" for a, b in line.points)
        parts.append(f'<polyline class="line s{line.series}" points="{path}"/>')
    return _svg(parts, 280, description)


def marked_line_chart(lines: Sequence[Line], x: Axis, y: Axis, description: str) -> Markup:
    """A line for each series with a mark at every point."""
    plot = _Plot(x, y, 280)
    parts = [plot.x_axis(), plot.y_axis()]
    for line in lines:
        path = " ".join(f"{plot.x(a):.1f},{plot.y(b):.1f}" for a, b in line.points)
        parts.append(f'<polyline class="line s{line.series}" points="{path}"/>')
        parts += [_mark(plot.x(a), plot.y(b), line.series, size=4.0) for a, b in line.points]
    return _svg(parts, 280, description)


def dot_chart(lines: Sequence[Line], x: Axis, y: Axis, description: str) -> Markup:
    """A mark for every point of every series."""
    plot = _Plot(x, y, 280)
    parts = [plot.x_axis(), plot.y_axis()]
    for line in lines:
        parts += [_mark(plot.x(a), plot.y(b), line.series, size=3.5) for a, b in line.points]
    return _svg(parts, 280, description)


def legend(labels: Sequence[str]) -> Markup:
    """The series' marks and names."""
    items = "".join(
        f'<li><svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{_mark(7, 7, n)}</svg>'
        f"{escape(label)}</li>"
        for n, label in enumerate(labels)
    )
    return Markup(f'<ul class="legend">{items}</ul>')  # noqa: S704 - every label is escaped above


def cumulative(values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The steps of an empirical distribution: for each value the share of values up to it."""
    ordered = sorted(values)
    points: list[tuple[float, float]] = [(ordered[0], 0.0)] if ordered else []
    for place, value in enumerate(ordered, start=1):
        points += [(value, (place - 1) / len(ordered)), (value, place / len(ordered))]
    return tuple(points)


class _Plot:
    """Where values are on the page."""

    def __init__(self, x: Axis, y: Axis, height: int, left: int = _LEFT) -> None:
        self._x_axis, self._y_axis = x, y
        self._left, self._right = left, WIDTH - _RIGHT
        self._top, self._bottom = _TOP, height - _BOTTOM

    def x(self, value: float) -> float:
        """Pixels from the left, inside the plot."""
        return self._left + _share(value, self._x_axis) * (self._right - self._left)

    def y(self, value: float) -> float:
        """Pixels from the top, inside the plot."""
        return self._bottom - _share(value, self._y_axis) * (self._bottom - self._top)

    def x_axis(self) -> str:
        parts = [
            f'<line class="grid" x1="{self.x(t):.1f}" y1="{self._top}" x2="{self.x(t):.1f}" y2="{self._bottom}"/>'
            + _text(self.x(t), self._bottom + 16, self._x_axis.write(t), "tick middle")
            for t in self._x_axis.ticks()
        ]
        middle = (self._left + self._right) / 2
        return "".join(parts) + _text(middle, self._bottom + 34, self._x_axis.title, "axis middle")

    def y_axis(self) -> str:
        parts = [
            f'<line class="grid" x1="{self._left}" y1="{self.y(t):.1f}" x2="{self._right}" y2="{self.y(t):.1f}"/>'
            + _text(self._left - 8, self.y(t) + 4, self._y_axis.write(t), "tick end")
            for t in self._y_axis.ticks()
        ]
        return "".join(parts)

    def vertical(self, value: float, kind: str) -> str:
        x = self.x(value)
        return f'<line class="{kind}" x1="{x:.1f}" y1="{self._top}" x2="{x:.1f}" y2="{self._bottom}"/>'

    def whisker(self, span: Span, y: float, series: int) -> str:
        low = self._left if span.low is None else self.x(span.low)
        high = self._right if span.high is None else self.x(span.high)
        return f'<line class="whisker s{series}" x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}"/>'

    def upright(self, span: Span, x: float, series: int) -> str:
        low = self._bottom if span.low is None else self.y(span.low)
        high = self._top if span.high is None else self.y(span.high)
        return f'<line class="whisker s{series}" x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}"/>'


def _mark(x: float, y: float, series: int, size: float = 5.0) -> str:
    """Circle, square, diamond or triangle."""
    wide, w = 1.3 * size, f"{1.3 * size:g}"
    shapes = (
        f'<circle class="mark s0" cx="{x:.1f}" cy="{y:.1f}" r="{size:g}"/>',
        f'<rect class="mark s1" x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:g}" height="{2 * size:g}"/>',
        f'<path class="mark s2" d="M{x:.1f} {y - wide:.1f}l{w} {w}l-{w} {w}l-{w} -{w}z"/>',
        f'<path class="mark s3" d="M{x:.1f} {y - size:.1f}l{1.2 * size:g} {2 * size:g}h{-2.4 * size:g}z"/>',
    )
    return shapes[series % len(shapes)]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _svg(parts: Sequence[str], height: int, description: str) -> Markup:
    return Markup(  # noqa: S704 - the parts are numbers, and texts that `_text` has escaped
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(description)}">'
        f"{''.join(parts)}</svg>"
    )


def _share(value: float, axis: Axis) -> float:
    return min(max((value - axis.low) / ((axis.high - axis.low) or 1.0), 0.0), 1.0)


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= rough * (1 - 1e-9))
