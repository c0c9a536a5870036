"""lm-evaluation-harness's items count as a probe's do: in scores, paired differences and requirements."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from evaluators.verdict import Outcome
from tests.experiments.small import run_small, small_experiment
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.results.regression import Change, compare_experiments
from workbench.experiments.spec.experiment import read_experiment

ITEMS = 60


def fill(folder: Path, right: int) -> str:
    """A folder as the harness leaves it: `right` of the items answered right."""
    samples = folder / "some__model" / "samples_arc_2026-01-02T03-04-05.jsonl"
    samples.parent.mkdir(parents=True)
    rows = [
        {"doc_id": n, "doc_hash": f"hash{n}", "metrics": ["acc", "bleu"], "acc": float(n < right), "bleu": n / 7,
         "filter": "none", "filtered_resps": [["-1.5", "True"]]}
        for n in range(ITEMS)
    ]  # fmt: skip
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


def harness(tmp_path: Path, **changes: object) -> dict[str, object]:
    folders = {"one": fill(tmp_path / "h1", 51), "two": fill(tmp_path / "h2", 12)}
    return {"name": "arc", "task": "arc", "metric": "acc", "folders": folders} | changes


async def test_its_score_is_a_quality_requirements_value(tmp_path: Path) -> None:
    experiment = small_experiment(
        tmp_path, harness=[harness(tmp_path)], load=None, requirements={"quality": {"arc": 0.5}}
    )
    folder = ExperimentFolder(tmp_path / "run")
    results = await run_small(experiment, folder)
    one, two = (verdict.rulings[0] for verdict in results.verdicts)
    assert (one.outcome, one.value, one.count) == (Outcome.PASS, 51 / ITEMS, ITEMS)
    assert (two.outcome, two.value) == (Outcome.FAIL, 12 / ITEMS)
    found = next(d for d in results.differences if d.probe == "arc")
    assert found.comparison.difference.value == pytest.approx(39 / ITEMS)
    assert found.comparison.flipped == 39
    scores = pd.read_csv(folder.path / "scores.csv").query("probe == 'arc'")
    assert scores.groupby("candidate")["value"].mean().to_dict() == {"one": 51 / ITEMS, "two": 12 / ITEMS}
    page = folder.report_path.read_text()
    assert "arc, acc" in page
    assert "lm-evaluation-harness: acc" in page
    assert (
        json.loads(folder.verdict_path.read_text())["candidates"][0]["scores"]["arc"]["value"] == 51 / ITEMS
    )


async def test_items_are_brought_in_once_and_nothing_else_is_needed(tmp_path: Path) -> None:
    asked = harness(tmp_path)
    experiment = small_experiment(tmp_path, harness=[asked], probes=[], load=None, requirements={})
    folder = ExperimentFolder(tmp_path / "run")
    first = await run_small(experiment, folder)
    fill(tmp_path / "h1" / "later", 0)
    again = await run_small(experiment, folder)
    assert len(folder.samples.read()) == 2 * ITEMS
    assert [s.summary for s in again.scores] == [s.summary for s in first.scores]


async def test_a_metric_that_is_no_rate_is_a_mean(tmp_path: Path) -> None:
    asked = harness(tmp_path, metric="bleu")
    results = await run_small(
        small_experiment(tmp_path, harness=[asked], probes=[], load=None, requirements={}),
        ExperimentFolder(tmp_path / "run"),
    )
    estimate = results.scores[0].summary.estimate
    assert estimate is not None
    assert estimate.value == pytest.approx(sum(n / 7 for n in range(ITEMS)) / ITEMS)


async def test_a_folder_without_the_metric_is_named_with_what_it_has(tmp_path: Path) -> None:
    experiment = small_experiment(
        tmp_path, harness=[harness(tmp_path, metric="f1")], load=None, requirements={}
    )
    with pytest.raises(ConfigurationError, match=r"has no f1 of arc\. It has: arc acc, arc bleu"):
        await run_small(experiment, ExperimentFolder(tmp_path / "run"))


def test_a_folder_of_no_candidate_and_a_name_used_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no candidate"):
        small_experiment(tmp_path, harness=[harness(tmp_path / "a", folders={"three": "x"})])
    with pytest.raises(ConfigurationError, match="same name"):
        small_experiment(tmp_path, harness=[harness(tmp_path / "b", name="own")])


def test_folders_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    fill(tmp_path / "filled", 1)
    spec = tmp_path / "spec.toml"
    spec.write_text(
        '[[candidates]]\nmodel = "a"\n[[harness]]\nname = "arc"\ntask = "arc"\nfolders = { a = "filled" }\n'
    )
    assert read_experiment(spec).harness[0].folders == {"a": str(tmp_path / "filled")}


async def test_two_experiments_are_paired_by_what_the_harness_asked(tmp_path: Path) -> None:
    results = []
    for number, right in enumerate((51, 12)):
        asked = harness(tmp_path / str(number), folders={"one": fill(tmp_path / f"{number}h", right)})
        experiment = small_experiment(tmp_path, harness=[asked], probes=[], load=None, requirements={})
        results.append(await run_small(experiment, ExperimentFolder(tmp_path / f"run{number}")))
    found = compare_experiments(results[0], "one", results[1], "one")
    assert found.is_alarming
    assert found.quality[0].change is Change.WORSE
    assert found.quality[0].comparison.difference.count == ITEMS
