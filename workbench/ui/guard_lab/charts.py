"""The two curves of a guard on a labelled set, as SVG, with the point that the threshold stands for."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from guard.calibrate import Curve

SIZE, MARGIN = 200, 34
_POINTS_DRAWN = 400


def roc_svg(points: Curve | None, threshold: float) -> str:
    """Recall over the false-positive rate."""
    if points is None:
        return ""
    start = (0.0, 0.0)
    path = [start, *zip(points.fpr.tolist(), points.recall.tolist(), strict=True)]
    return _chart(
        "ROC", "False-positive rate", "Recall", path, _point(points, points.fpr, points.recall, threshold)
    )


def precision_recall_svg(points: Curve | None, threshold: float) -> str:
    """Precision over recall."""
    if points is None:
        return ""
    path = list(zip(points.recall.tolist(), points.precision.tolist(), strict=True))
    mark = _point(points, points.recall, points.precision, threshold)
    return _chart("Precision and recall", "Recall", "Precision", path, mark)


def _point(points: Curve, across: np.ndarray, up: np.ndarray, threshold: float) -> tuple[float, float] | None:
    """Where the curve is at `threshold`; None where nothing is flagged."""
    flagged = np.flatnonzero(points.thresholds >= threshold)
    return (float(across[flagged[-1]]), float(up[flagged[-1]])) if flagged.size else None


def _chart(
    title: str, across: str, up: str, path: list[tuple[float, float]], mark: tuple[float, float] | None
) -> str:
    drawn = path[:: max(1, len(path) // _POINTS_DRAWN)] + path[-1:]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_place, drawn))
    dot = ""
    if mark is not None:
        x, y = _place(mark)
        dot = f'<circle class="wb-chart-mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    width = SIZE + MARGIN + 8
    height = SIZE + MARGIN + 8
    return (
        f'<figure class="wb-chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(f"{up} over {across}")}">'
        f"{''.join(_grid())}"
        f'<polyline class="wb-chart-line" points="{line}"/>{dot}'
        f'<text x="{MARGIN + SIZE / 2}" y="{height - 4}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(10 {8 + SIZE / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
        "</svg></figure>"
    )


def _grid() -> Iterable[str]:
    for value in (0.0, 0.5, 1.0):
        x, y = _place((value, value))
        yield f'<line x1="{MARGIN}" x2="{MARGIN + SIZE}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<line y1="8" y2="{8 + SIZE}" x1="{x:.1f}" x2="{x:.1f}"/>'
        yield f'<text x="{x:.1f}" y="{8 + SIZE + 14}" text-anchor="middle">{value:g}</text>'
        yield f'<text x="{MARGIN - 5}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'


def _place(point: tuple[float, float]) -> tuple[float, float]:
    """A point of the unit square in the drawing's units."""
    return MARGIN + SIZE * point[0], 8 + SIZE * (1 - point[1])
