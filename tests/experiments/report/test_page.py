"""The report is one page that needs nothing, runs nothing, and shows model text as text."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.experiments.small import run_small, small_experiment
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.charts import Axis, cumulative

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> wrong\u202e"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment whose model answers with markup."""
    home = tmp_path_factory.mktemp("report")
    experiment = small_experiment(home, name=f"Small {HOSTILE}")
    asyncio.run(run_small(experiment, ExperimentFolder(home / "run"), ScriptedBackend([Script(HOSTILE)])))
    return home / "run"


@pytest.fixture(scope="module")
def report(home: Path) -> str:
    return ExperimentFolder(home).report_path.read_text()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs


def test_model_text_is_text(report: str) -> None:
    tags = _Tags()
    tags.feed(report)
    assert not tags.names & {"script", "img", "iframe", "object", "link", "form", "a"}
    assert not [
        name for name, _ in tags.attributes if name.startswith("on") or name in ("style", "src", "href")
    ]
    assert "&lt;script&gt;alert(1)" in report


def test_a_minute_shows_the_few_numbers_and_what_to_do(home: Path, report: str) -> None:
    verdict = json.loads((home / "verdict.json").read_text())
    head = report.partition("<h2>Requirements</h2>")[0]
    assert head.count("<dt>First token, p95</dt>") == head.count("<dt>Sustained load</dt>") == 2
    advice = [r["advice"] for c in verdict["candidates"] for r in c["rulings"] if r["advice"]]
    assert advice
    assert advice[0] in head
    timed = [c for c in verdict["candidates"] for r in c["rulings"] if "ms" in r["requirement"]]
    modes = {"isolated" if entry["is_isolated"] else "contended" for entry in timed}
    for mode in modes:
        assert f'<span class="badge mode {mode}">{mode}</span>' in report


def test_nothing_is_fetched(report: str) -> None:
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import", style[1])


def test_the_policy_allows_this_style_sheet_and_nothing_else(report: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', report)
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#39;", "'").startswith("default-src 'none'; style-src 'sha256-" + digest)


def test_texts_of_an_offensive_set_are_not_shown(home: Path, report: str) -> None:
    rows = [json.loads(line) for line in (home / "samples.jsonl").read_text().splitlines()]
    texts = [choice for row in rows if row["probe"] == "stereotypes" for choice in row["choices"]]
    assert texts
    assert not [text for text in texts if text in report]


def test_charts_are_described_in_words(report: str) -> None:
    labels = re.findall(r'<svg class="chart"[^>]*aria-label="([^"]+)"', report)
    assert len(labels) == 5
    assert any("Physical common sense" in label for label in labels)


def test_a_cumulative_distribution_climbs_from_0_to_1() -> None:
    assert cumulative([3.0, 1.0]) == ((1.0, 0.0), (1.0, 0.0), (1.0, 0.5), (3.0, 0.5), (3.0, 1.0))


def test_ticks_are_round_and_inside_the_axis() -> None:
    assert Axis("", 0.0, 1.0, str).ticks() == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Axis("", 0.0, 1234.0, str).ticks() == pytest.approx([0.0, 500.0, 1000.0])
