"""Estimates follow from measured rates, and a run's own rates predict its own time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.experiments.small import run_small, small_experiment
from tests.sites import MODEL, OTHER_MODEL
from workbench.experiments.estimate import (
    SLOWER_ALONE,
    Rates,
    estimate_words,
    estimated_seconds,
    measured_rates,
)
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind
from workbench.experiments.spec.experiment import Mode
from workbench.experiments.spec.load import LoadSpec
from workbench.experiments.spec.probe import open_probe
from workbench.experiments.spec.seven_questions import question_experiment


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ExperimentFolder:
    home = tmp_path_factory.mktemp("estimate")
    folder = ExperimentFolder(home / "run")
    asyncio.run(run_small(small_experiment(home, load=None), folder))
    return folder


def test_a_runs_seconds_are_shared_out_to_what_it_did(folder: ExperimentFolder) -> None:
    rates = measured_rates([folder])
    assert rates is not None
    rows = folder.requests.read()
    scored = sum(row.timing.prompt_tokens for row in rows if row.likelihood is not None)
    written = sum(row.timing.output_tokens for row in rows if row.likelihood is None)
    spent = sum(phase.seconds for phase in folder.phases.read() if phase.kind is PhaseKind.QUALITY)
    assert scored / rates.scored + written / rates.written == pytest.approx(spent)


def test_nothing_measured_gives_no_rates(tmp_path: Path) -> None:
    assert measured_rates([ExperimentFolder(tmp_path / "none")]) is None


def test_twice_as_fast_takes_half_as_long() -> None:
    experiment = question_experiment([MODEL], ["tasks", "bias"], items=5)
    probes = [open_probe(spec, 0) for spec in experiment.probes]
    slow = estimated_seconds(experiment, probes, Rates(100, 10, "a test"))
    assert estimated_seconds(experiment, probes, Rates(200, 20, "a test")) == pytest.approx(slow / 2)


def test_answers_that_are_judged_again_cost_nothing() -> None:
    experiment = question_experiment([MODEL], ["generation"])
    probes = [open_probe(spec, 0) for spec in experiment.probes]
    rates = Rates(100, 10, "a test")
    assert estimated_seconds(experiment, probes, rates) == estimated_seconds(experiment, probes[:1], rates)


def test_a_sweep_is_counted_with_all_the_levels_it_may_take() -> None:
    load = LoadSpec(rate="1/s", duration="30s", sweep_to="4/s", refinements=2)
    experiment = question_experiment([MODEL, OTHER_MODEL], ["tasks"], items=5, load=load)
    probes = [open_probe(spec, 0) for spec in experiment.probes]
    rates = Rates(100, 10, "a test")
    asked = estimated_seconds(experiment.model_copy(update={"load": None}), probes, rates)
    assert estimated_seconds(experiment, probes, rates) == pytest.approx(asked + 2 * 5 * 30)
    together = experiment.model_copy(update={"mode": Mode.CONTENDED})
    assert estimated_seconds(together, probes, rates) == pytest.approx(asked + 5 * 30)


def test_the_full_run_counts_what_is_asked_again_under_load() -> None:
    full = question_experiment([MODEL], items=8, is_full=True)
    assert full.under_load is not None
    assert full.under_load.probe == "reading"
    probes = [open_probe(spec, 0) for spec in full.probes]
    rates = Rates(100, 10, "a test")
    without = estimated_seconds(full.model_copy(update={"under_load": None}), probes, rates)
    # Eight answers of 24 tokens at three levels, the first of which takes four times as long.
    assert estimated_seconds(full, probes, rates) == pytest.approx(without + 8 * 24 / 10 * (SLOWER_ALONE + 2))


@pytest.mark.parametrize(("seconds", "words"), [(600, "10 minutes"), (9000, "2.5 hours")])
def test_the_label_names_where_the_rates_are_from(seconds: float, words: str) -> None:
    assert estimate_words(seconds, Rates(1, 1, "a test")) == f"about {words}, a test"
