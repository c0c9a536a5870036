"""The report's charts say what the stored rows come to: their points are read off the axes, as a reader would."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tests.experiments.small import run_small, small_experiment
from workbench.experiments.record.folder import ExperimentFolder

NAMES = ("one", "two")
PRICE_PER_HOUR = 2.5
TTFT_LIMIT_MS = 1000.0
ROUNDED_PIXELS = 0.2
"""Points and grid lines are written to a tenth of a pixel."""
_SVG = re.compile(r"<svg class=\"chart\".*?</svg>", re.DOTALL)
_UNITS = {"ms": 1.0, "s": 1000.0, "%": 0.01, "": 1.0}
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis, known by its labelled grid lines: value = slope x pixel + offset."""

    slope: float
    offset: float

    @classmethod
    def of(cls, ticks: list[tuple[float, float]]) -> Scale:
        """From pairs of pixel and written value."""
        pixels, values = zip(*ticks, strict=True)
        slope, offset = np.polyfit(pixels, values, 1)
        return cls(float(slope), float(offset))

    def value(self, pixel: float) -> float:
        """What stands at this pixel."""
        return self.slope * pixel + self.offset

    @property
    def tolerance(self) -> float:
        """How far rounding may lead astray."""
        return abs(self.slope) * ROUNDED_PIXELS


class Picture:
    """One chart: its axes and what is drawn between them."""

    def __init__(self, svg: str) -> None:
        self._root = ElementTree.fromstring(svg)  # noqa: S314 - the report this test has just made
        self.x = Scale.of([(float(t.get("x", "")), written(t.text)) for t in self._texts("tick middle")])
        ends = [(float(t.get("y", "")) - 4, written(t.text)) for t in self._texts("tick end")]
        self.y = Scale.of(ends) if ends else Scale(1.0, 0.0)

    def _texts(self, kind: str) -> list[ElementTree.Element]:
        return [text for text in self._root.iter("text") if text.get("class") == kind]

    def line(self, series: int) -> Points:
        """The corners of a series' line, as values."""
        (line,) = [p for p in self._root.iter("polyline") if p.get("class") == f"line s{series}"]
        pairs = [pair.split(",") for pair in line.get("points", "").split()]
        return [(self.x.value(float(x)), self.y.value(float(y))) for x, y in pairs]

    def marks(self, series: int) -> Points:
        """A series' marks, as values: circles of the first, squares of the second."""
        found: Points = []
        for mark in self._root.iter():
            if mark.get("class") != f"mark s{series}":
                continue
            half = float(mark.get("width", "0")) / 2
            x, y = (float(mark.get(f"c{axis}", mark.get(axis, ""))) + half for axis in "xy")
            found.append((self.x.value(x), self.y.value(y)))
        return found

    def whiskers(self, series: int, way: str) -> Points:
        """The ends of a series' intervals along the axis `way`, as values."""
        scale = self.x if way == "x" else self.y
        lines = [w for w in self._root.iter("line") if w.get("class") == f"whisker s{series}"]
        spans = [(float(w.get(f"{way}1", "")), float(w.get(f"{way}2", ""))) for w in lines]
        return [(scale.value(low), scale.value(high)) for low, high in spans if low != high]

    def assert_shows(self, drawn: Points, expected: Points) -> None:
        """Both have the same points."""
        assert len(drawn) == len(expected)
        for (x, y), (at_x, at_y) in zip(drawn, expected, strict=True):
            assert x == pytest.approx(at_x, abs=self.x.tolerance)
            assert y == pytest.approx(at_y, abs=self.y.tolerance)


def written(text: str | None) -> float:
    """A tick's number; shares as shares, times in ms."""
    found = re.fullmatch(r"([\d.,]+(?:e-?\d+)?) ?(ms|s|%|)", text or "")
    assert found is not None, text
    return float(found[1].replace(",", "")) * _UNITS[found[2]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("charts")
    asked = small_experiment(
        home,
        probes=[{"name": "common-sense", "data": "piqa", "evaluator": "multiple_choice", "limit": 12}],
        load={
            "rate": "60/s", "duration": "0.4s", "sweep_to": "200/s", "refinements": 1, "output_tokens": 3,
        },
        requirements={"ttft_p95_ms": TTFT_LIMIT_MS},
        machine_price_per_hour=PRICE_PER_HOUR,
    )  # fmt: skip
    asyncio.run(run_small(asked, ExperimentFolder(home / "run")))
    return home / "run"


@pytest.fixture(scope="module")
def charts(home: Path) -> dict[str, Picture]:
    found = _SVG.findall((home / "report.html").read_text())
    labels = [re.search(r'aria-label="([^.:,]*)', svg) for svg in found]
    return {label[1]: Picture(svg) for label, svg in zip(labels, found, strict=True) if label is not None}


@pytest.fixture(scope="module")
def levels(home: Path) -> dict[str, list[tuple[float, pd.DataFrame]]]:
    """Each candidate's levels, ascending: the planned requests a second, and the requests."""

    def rows(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (home / name).read_text().splitlines()]

    requests = pd.json_normalize(rows("requests.jsonl"))
    planned = {r["run"]: r["asked_rate"] for r in rows("phases.jsonl") if r["asked_rate"] is not None}
    found: dict[str, list[tuple[float, pd.DataFrame]]] = {}
    for name in NAMES:
        own = requests[(requests.kind == "load") & (requests.candidate == name)]
        runs = own[own.run.isin(list(planned))].groupby("run", sort=False)
        found[name] = sorted(((planned[str(run)], level) for run, level in runs), key=lambda pair: pair[0])
    return found


def ok(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["timing.outcome"] == "ok"]


def since_due(rows: pd.DataFrame, event: str) -> pd.Series:
    """Milliseconds from the moment a request was due."""
    return (ok(rows)[f"timing.{event}"] - ok(rows)["timing.scheduled"]) * 1000


def test_every_chart_of_the_page_is_checked_here(charts: dict[str, Picture]) -> None:
    assert [re.sub(r" against .*", " against cost", label) for label in charts] == [
        "Quality", "Physical common sense against cost", "Time to first token", "Time to the whole answer",
        "Every answered request of the load tests", "First token over the load", "Goodput over the load",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "event"), [("Time to first token", "first_token"), ("Time to the whole answer", "end")]
)
def test_distributions_climb_by_one_request_at_each_latency(
    charts: dict[str, Picture], levels: dict[str, list[tuple[float, pd.DataFrame]]], title: str, event: str
) -> None:
    for series, name in enumerate(NAMES):
        values = sorted(since_due(levels[name][0][1], event))
        steps = [(v, (n + side) / len(values)) for n, v in enumerate(values) for side in (0, 1)]
        chart = charts[title]
        chart.assert_shows(chart.line(series), [(values[0], 0.0), *steps])


def test_every_request_has_its_dot(
    charts: dict[str, Picture], levels: dict[str, list[tuple[float, pd.DataFrame]]]
) -> None:
    chart = charts["Every answered request of the load tests"]
    for series, name in enumerate(NAMES):
        first = levels[name][0][1]
        due = ok(first)["timing.scheduled"] - first["timing.scheduled"].min()
        chart.assert_shows(chart.marks(series), list(zip(due, since_due(first, "end"), strict=True)))


def test_a_sweeps_lines_have_a_corner_at_every_level(
    charts: dict[str, Picture], levels: dict[str, list[tuple[float, pd.DataFrame]]]
) -> None:
    first, goodput = charts["First token over the load"], charts["Goodput over the load"]
    for series, name in enumerate(NAMES):
        assert len(levels[name]) > 1
        waits = [
            (60 * rate, float(since_due(rows, "first_token").quantile(0.95))) for rate, rows in levels[name]
        ]
        first.assert_shows(first.line(series), waits)
        first.assert_shows(first.marks(series), waits)
        good = []
        for rate, rows in levels[name]:
            span = rows["timing.end"].max() - rows["timing.scheduled"].min()
            count = (since_due(rows, "first_token") <= TTFT_LIMIT_MS).sum()
            good.append((60 * rate, 60 * count / span))
        goodput.assert_shows(goodput.line(series), good)


def test_quality_stands_with_wilsons_interval_against_what_it_cost(
    home: Path, charts: dict[str, Picture], levels: dict[str, list[tuple[float, pd.DataFrame]]]
) -> None:
    samples = pd.read_json(home / "samples.jsonl", lines=True)
    (against,) = [chart for label, chart in charts.items() if " against " in label]
    for series, name in enumerate(NAMES):
        rows, values = levels[name][0][1], samples[samples.candidate == name].value.dropna()
        speed = rows["timing.output_tokens"].sum() / (
            rows["timing.end"].max() - rows["timing.scheduled"].min()
        )
        cost = PRICE_PER_HOUR / (3600 * speed) * 1e6
        against.assert_shows(against.marks(series), [(cost, values.mean())])
        interval = binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
        (upright,) = against.whiskers(series, "y")
        assert upright == pytest.approx((interval.low, interval.high), abs=against.y.tolerance)
        quality = charts["Quality"]
        ((value, _),) = quality.marks(series)
        assert value == pytest.approx(values.mean(), abs=quality.x.tolerance)
        (whisker,) = quality.whiskers(series, "x")
        assert whisker == pytest.approx((interval.low, interval.high), abs=quality.x.tolerance)
