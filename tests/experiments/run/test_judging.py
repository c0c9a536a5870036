"""Judges: asked in both orders about stored answers, never twice, and what they say becomes ratings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiments.small import JUDGE, run_small, small_experiment
from tests.sites import MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ChatPrompt, GenerationRequest
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.results.outcome import Results, read_results
from workbench.experiments.spec.experiment import Experiment


def experiment_with_judge(folder: Path, evaluator: str = "length") -> Experiment:
    data = folder / "open.jsonl"
    data.write_text("".join(f'{{"id": "{n}", "prompt": "Write line {n}."}}\n' for n in range(12)))
    return small_experiment(
        folder,
        probes=[{"name": "lines", "data": str(data), "evaluator": evaluator}],
        load=None,
        requirements={},
        judge={"model": JUDGE, "pairwise": ["lines"]},
    )


def asked_text(request: GenerationRequest) -> str:
    return request.prompt.messages[-1].content if isinstance(request.prompt, ChatPrompt) else ""


def fair(request: GenerationRequest) -> Script:
    """A judge that prefers the longer answer, wherever it stands; candidate two writes more."""
    text = asked_text(request)
    if "[Answer B]" in text:
        a, b = text.split("[Answer A]\n")[1].split("[Answer B]\n")
        return Script(
            f"Longer. Verdict: {'A' if len(a.strip()) > len(b.split('Give your')[0].strip()) else 'B'}"
        )
    if "[Rubric]" in text:
        return Script("Good. Points: 4")
    return Script("a long answer of several words" if request.model != MODEL else "short")


async def run(tmp_path: Path, backend: ScriptedBackend, evaluator: str = "length") -> Results:
    return await run_small(
        experiment_with_judge(tmp_path, evaluator), ExperimentFolder(tmp_path / "run"), backend
    )


async def test_a_steady_judge_gives_ratings_and_shows_its_taste_for_length(tmp_path: Path) -> None:
    backend = ScriptedBackend(answer=fair)
    results = await run(tmp_path, backend)
    judged = results.judged[0]
    assert (judged.pairs, judged.flipped, judged.unreadable) == (12, 0, 0)
    assert judged.ranking is not None
    assert [rating.candidate for rating in judged.ranking.ratings] == ["two", "one"]
    assert judged.longer_won is not None
    assert judged.longer_won.value == 1.0
    report = (tmp_path / "run" / "report.html").read_text()
    assert "The longer answer won 100 % of the decided pairs" in report
    assert sum(call.request.model == JUDGE for call in backend.calls) == 24


async def test_a_judge_that_always_says_a_decides_nothing(tmp_path: Path) -> None:
    def answer(request: GenerationRequest) -> Script:
        return Script("Verdict: A" if "[Answer B]" in asked_text(request) else "some words")

    judged = (await run(tmp_path, ScriptedBackend(answer=answer))).judged[0]
    assert (judged.flipped, judged.ranking, judged.longer_won) == (12, None, None)


async def test_what_was_judged_is_not_asked_again(tmp_path: Path) -> None:
    await run(tmp_path, ScriptedBackend(answer=fair))
    again = ScriptedBackend(answer=fair)
    await run(tmp_path, again)
    assert again.calls == []


async def test_a_rubric_gives_points_and_its_judge_is_in_the_manifest(tmp_path: Path) -> None:
    results = await run(tmp_path, ScriptedBackend(answer=fair), "rubric")
    assert {row.value for row in results.samples} == {0.75}
    assert {row.judgement for row in results.samples} == {"Good. Points: 4"}
    assert results.manifest["judge"]["model"] == JUDGE


async def test_no_answer_stands_in_the_rows_of_requests(tmp_path: Path) -> None:
    await run(tmp_path, ScriptedBackend(answer=fair))
    assert "several words" not in (tmp_path / "run" / "requests.jsonl").read_text()


def test_an_evaluator_that_needs_a_judge_is_refused_without_one(tmp_path: Path) -> None:
    probe = {"name": "graded", "data": "generation", "evaluator": "rubric"}
    with pytest.raises(ConfigurationError, match="graded needs a judge"):
        small_experiment(tmp_path, probes=[probe], requirements={})


async def test_the_stored_words_alone_give_the_same_ratings(tmp_path: Path) -> None:
    results = await run(tmp_path, ScriptedBackend(answer=fair))
    assert read_results(ExperimentFolder(tmp_path / "run")).judged == results.judged
