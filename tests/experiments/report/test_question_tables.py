"""The tables of the seven questions and of the judge, worked out from the stored rows once more."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.report.tables import ReportTables, number
from tests.experiments.small import JUDGE, longer_answer, run_small
from tests.sites import MODEL, OTHER_MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ChatPrompt, GenerationRequest
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.spec.experiment import parse_experiment
from workbench.experiments.spec.seven_questions import question_experiment

NAMES = ("model", "other")
JUDGED = "generation-loops"


def answer(request: GenerationRequest) -> Script:
    """Answers whose length changes from item to item, and a judge that goes by length."""
    if not isinstance(request.prompt, ChatPrompt):
        return Script()
    text = request.prompt.messages[-1].content
    if "[Answer B]" in text:
        return longer_answer(text)
    return Script("The library opens at nine. " * (1 + len(text) % (3 if request.model == MODEL else 5)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("question-tables")
    asked = question_experiment(
        [MODEL, OTHER_MODEL], ["generation", "knowledge", "bias", "memorization"], items=8
    )
    experiment = parse_experiment(asked.as_json() | {"judge": {"model": JUDGE, "pairwise": [JUDGED]}})
    asyncio.run(run_small(experiment, ExperimentFolder(home / "run"), ScriptedBackend(answer=answer)))
    return home / "run"


def values_of(samples: pd.DataFrame, candidate: str, probe: str) -> pd.Series:
    return samples[(samples.candidate == candidate) & (samples.probe == probe)].value.dropna()


def assert_says(text: str, value: float) -> None:
    """The text's first number is this value: whole percent of a share, else three digits of it."""
    if "%" in text:
        assert number(text) == pytest.approx(100 * value, abs=0.51)
    else:
        assert number(text) == pytest.approx(value, rel=0.006, abs=5e-4)


def test_every_score_of_every_question_is_a_mean_with_its_count(
    report: ReportTables, samples: pd.DataFrame
) -> None:
    rows = [row for row in report.tables["The seven questions"] if len(row[0]) == 2]
    probes = [row[0][1].partition(",")[0] for row in rows]
    assert set(probes) == set(samples.probe)
    for probe, row in zip(probes, rows, strict=True):
        for name, cell in zip(NAMES, row[1:3], strict=True):
            values = values_of(samples, name, probe)
            if values.empty:
                assert cell[0] == "–"
            else:
                assert_says(cell[0], values.mean())
            assert cell[1].startswith(f"{len(values)} items")


def test_a_change_is_the_gain_over_its_baseline(report: ReportTables, samples: pd.DataFrame) -> None:
    rows = [row for row in report.tables["The seven questions"] if " minus " in row[0][0]]
    assert {row[1][0] for row in rows} == set(NAMES)
    for row in rows:
        probe, _, baseline = row[0][0].partition(" minus ")
        gain = values_of(samples, row[1][0], probe).mean() - values_of(samples, row[1][0], baseline).mean()
        assert_says(row[2][0], gain)


def test_ratings_and_wins_are_counted_from_the_judges_words(home: Path, report: ReportTables) -> None:
    judged = [json.loads(line) for line in (home / "judgements.jsonl").read_text().splitlines()]
    sides = [(row["forward"][-1], row["backward"][-1]) for row in judged]
    wins = {"model": sides.count(("A", "B")), "other": sides.count(("B", "A"))}
    decided = sum(wins.values())
    assert decided > 0
    assert [(row["first"], row["second"]) for row in judged] == [NAMES] * len(judged)
    rows = {row[0][0]: row[1:] for row in report.tables["Judged in pairs"][1:]}
    assert set(rows) == set(NAMES)
    for name, cells in rows.items():
        lost = decided - wins[name]
        # One made-up tie a pair that met, 400 points for odds of ten to one, around 1000.
        assert_says(cells[0][0], 1000 + 200 * math.log10((wins[name] + 0.5) / (lost + 0.5)))
        assert_says(cells[1][0], wins[name] / decided)
        assert cells[2][0] == f"{wins[name]} won, {lost} lost, 0 ties"
    page = (home / "report.html").read_text()
    assert f"judged {len(judged)} pairs in both orders: {decided} alike in both" in page
