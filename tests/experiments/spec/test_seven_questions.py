"""The seven questions: enough items each, asked of any model, and each answered in the report."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from evaluators.data import builtin_sets
from tests.experiments.small import run_small
from tests.sites import MODEL, OTHER_MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import GenerationRequest, TokenPrompt
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.spec.probe import open_probe
from workbench.experiments.spec.seven_questions import QUESTIONS, question_experiment

REASONED = "Because everybody can see it. Answer: yes, no, car, mouse, honey, The Answer stands here."


def answer(request: GenerationRequest) -> Script:
    return Script() if isinstance(request.prompt, TokenPrompt) else Script(REASONED)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with four items a probe."""
    home = tmp_path_factory.mktemp("seven")
    experiment = question_experiment([MODEL, OTHER_MODEL], items=4)
    asyncio.run(run_small(experiment, ExperimentFolder(home / "run"), ScriptedBackend(answer=answer)))
    return home / "run"


@pytest.fixture(scope="module")
def verdict(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "verdict.json").read_text())
    return found


def test_there_are_seven_and_each_explains_itself() -> None:
    assert len(QUESTIONS) == 7
    assert all(len(question.explanation) > 100 for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_probe_has_at_least_forty_items_with_a_licence(question: Any) -> None:
    for spec in question.probes:
        assert len(open_probe(spec, 0).data.samples) >= 40
        assert builtin_sets()[spec.data].licence


def test_every_probe_of_every_candidate_has_rows(home: Path) -> None:
    rows = ExperimentFolder(home).samples.read()
    experiment = question_experiment([MODEL, OTHER_MODEL], items=4)
    counts = {(row.candidate, row.probe) for row in rows if row.failure == ""}
    assert counts == {(c.name, p.name) for c in experiment.candidates for p in experiment.probes}


def test_answers_that_are_judged_again_are_not_asked_again(home: Path) -> None:
    folder = ExperimentFolder(home)
    assert not [row for row in folder.requests.read() if row.probe == "generation-language"]
    answers = {
        (r.candidate, r.sample): r.answer for r in folder.samples.read() if r.probe == "generation-loops"
    }
    again = {
        (r.candidate, r.sample): r.answer for r in folder.samples.read() if r.probe == "generation-language"
    }
    assert again == answers


def test_perturbed_items_keep_their_ids_and_change_their_text(home: Path) -> None:
    rows = ExperimentFolder(home).samples.read()
    prompts = {
        probe: {row.sample: row.prompt for row in rows if row.probe == probe}
        for probe in ("robust-reading", "robust-reading-typos", "robust-reading-paraphrase")
    }
    clean = prompts.pop("robust-reading")
    for changed in prompts.values():
        assert changed.keys() == clean.keys()
        assert all(changed[sample] != clean[sample] for sample in clean)


def test_drops_are_paired_by_item_and_follow_from_the_rows(home: Path, verdict: dict[str, Any]) -> None:
    values = {
        (row.candidate, row.probe, row.sample): row.value for row in ExperimentFolder(home).samples.read()
    }
    checked = 0
    for made in (made for made in verdict["contrasts"] if made["is_paired"]):
        gaps = [
            value - base
            for (candidate, probe, sample), value in values.items()
            if (candidate, probe) == (made["candidate"], made["probe"])
            and value is not None
            and (base := values[candidate, made["baseline"], sample]) is not None
        ]
        assert made["value"] == pytest.approx(sum(gaps) / len(gaps))
        assert made["count"] == len(gaps)
        checked += 1
    assert checked == 2 * 8


def test_memorization_is_compared_between_different_lines(verdict: dict[str, Any]) -> None:
    found = [made for made in verdict["contrasts"] if made["probe"] == "famous-lines"]
    assert [made["is_paired"] for made in found] == [False, False]


def test_reasons_keep_the_surprise_of_every_token(home: Path) -> None:
    rows = [row for row in ExperimentFolder(home).samples.read() if row.probe == "reasons"]
    assert all("".join(token.text for token in row.tokens) == REASONED for row in rows)
    assert all(token.surprise >= 0 for row in rows for token in row.tokens)


def test_the_report_answers_each_question(home: Path) -> None:
    report = (home / "report.html").read_text()
    assert all(f"<h3>{question.title}</h3>" in report for question in QUESTIONS)
    assert 'class="u0"' in report


def test_texts_of_harmful_requests_are_not_shown(home: Path) -> None:
    report = (home / "report.html").read_text()
    rows = [row for row in ExperimentFolder(home).samples.read() if row.probe == "unsafe-answers"]
    assert not any(row.prompt in report for row in rows)


def test_an_unknown_question_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigurationError, match="memorization"):
        question_experiment([MODEL], ["taste"])
