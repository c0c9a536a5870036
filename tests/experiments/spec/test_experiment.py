"""An experiment's file: what is wrong is named, and a manifest asks the same again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluators.stats import values_needed
from tests.experiments.small import run_small, small_experiment
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.spec.experiment import ProbeSpec, parse_experiment, read_experiment
from workbench.experiments.spec.probe import open_probe
from workbench.experiments.spec.quick import QUICK_PROBES, quick_experiment

PROBE = {"name": "p", "data": "piqa", "evaluator": "multiple_choice"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": [{"model": "m"}, {"model": "m"}]}, "same name"),
        ({"probes": [], "load": None}, "nothing to do"),
        ({"requirements": {"quality": {"other": 0.5}}}, "names no probe"),
        ({"requirements": {"speed": 1}}, "no requirement called"),
        ({"load": {"rate": "often"}}, "a rate is written like"),
        ({"colour": "blue"}, "colour"),
        ({"probes": [PROBE | {"name": "../up"}]}, "no slashes"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    table: dict[str, Any] = {"candidates": [{"model": "m"}], "probes": [PROBE]}
    with pytest.raises(ConfigurationError, match=message):
        parse_experiment(table | change)


def test_the_quick_check_has_three_probes_of_200_items() -> None:
    experiment = quick_experiment(("a/one", "b/two"))
    probes = [open_probe(spec, experiment.seed) for spec in experiment.probes]
    assert [len(probe.data.samples) for probe in probes] == [200, 200, 200]
    assert [candidate.name for candidate in experiment.candidates] == ["one", "two"]
    assert all(probe.needs_likelihoods for probe in probes)


def test_the_quick_checks_minute_sends_well_above_what_bounds_a_p95() -> None:
    load = quick_experiment(("a/one", "b/two")).load
    assert load is not None
    bounding = values_needed(0.0, 95)
    assert bounding is not None
    assert load.duration_s == 60
    assert len(load.due(0)) >= 1.5 * bounding


def test_the_same_model_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        quick_experiment(("a/one", "a/one"))


def test_fewer_choices_keep_the_right_one() -> None:
    probe = open_probe(QUICK_PROBES[1], seed=0)
    assert {len(sample.choices) for sample in probe.data.samples} == {2}
    assert all(sample.correct_choice is not None for sample in probe.data.samples)


def test_the_seed_draws_the_items() -> None:
    spec = ProbeSpec(name="p", data="piqa", evaluator="multiple_choice", limit=20)
    first, again, other = (open_probe(spec, seed).data for seed in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    ("text", "evaluator"),
    [
        ("prompt,choices,expected\nQ,a|b,a\n", "multiple_choice"),
        ("question,answer\nQ,a\n", "contains"),
        ("prompt\nQ\n", "refusal"),
    ],
)
def test_own_questions_are_judged_as_their_columns_allow(tmp_path: Path, text: str, evaluator: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    assert quick_experiment(("a", "b"), path).probes[-1].evaluator == evaluator


async def test_a_manifest_gives_equal_scores(tmp_path: Path) -> None:
    first = await run_small(
        small_experiment(tmp_path, load=None, concurrency=1), ExperimentFolder(tmp_path / "one")
    )
    again = read_experiment(tmp_path / "one" / "manifest.json")
    second = await run_small(again, ExperimentFolder(tmp_path / "two"))
    assert [row.value for row in first.samples] == [row.value for row in second.samples]
    hashes = [
        json.loads((tmp_path / run / "manifest.json").read_text())["probes"]["own"]["data_sha256"]
        for run in ("one", "two")
    ]
    assert hashes[0] == hashes[1]


def test_data_files_are_found_beside_the_experiments_file(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("prompt,expected\nQ,a\n")
    spec = tmp_path / "spec.toml"
    spec.write_text(
        'candidates = [{model = "m"}]\nprobes = [{name = "own", data = "mine.csv", evaluator = "contains"}]\n'
    )
    assert read_experiment(spec).probes[0].data == str(tmp_path / "mine.csv")


async def test_a_manifest_asks_again_when_the_file_it_was_made_from_is_gone(tmp_path: Path) -> None:
    experiment = small_experiment(tmp_path, load=None, concurrency=1)
    first = await run_small(experiment, ExperimentFolder(tmp_path / "one"))
    (tmp_path / "own.jsonl").unlink()
    second = await run_small(
        read_experiment(tmp_path / "one" / "manifest.json"), ExperimentFolder(tmp_path / "two")
    )
    assert [(row.id, row.value) for row in first.samples] == [(row.id, row.value) for row in second.samples]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": "q"}, "baseline of p"),
        ({"answers_of": "q"}, "does not ask the same items"),
        ({"evaluator": "rubric"}, "needs a judge"),
        ({"evaluator": "unheard_of"}, "no evaluator called"),
    ],
)
def test_probes_that_lean_on_others_must_fit_them(change: dict[str, Any], message: str) -> None:
    other = {"name": "q", "data": "truthfulqa", "evaluator": "pair_margin"}
    with pytest.raises(ConfigurationError, match=message):
        parse_experiment({"candidates": [{"model": "m"}], "probes": [other, PROBE | change]})


def test_a_requirement_on_safety_needs_its_probe() -> None:
    table = {"candidates": [{"model": "m"}], "probes": [PROBE], "requirements": {"unsafe_rate": 0.1}}
    with pytest.raises(ConfigurationError, match="judged by unsafe_answer, not 0"):
        parse_experiment(table)
