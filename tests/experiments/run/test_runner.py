"""A run stores what it did, goes on where it stopped, and keeps what is done."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from evaluators.timing import RequestClass
from tests.experiments.small import run_small, small_experiment
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ChatPrompt, GenerationRequest, TokenPrompt
from workbench.core.errors import BackendFailed, ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import RequestKind
from workbench.experiments.run.progress import Progress

ITEMS = 2 * (12 + 6 + 2)


@pytest.fixture
def folder(tmp_path: Path) -> ExperimentFolder:
    return ExperimentFolder(tmp_path / "run")


async def test_every_item_of_every_candidate_is_asked_once(tmp_path: Path, folder: ExperimentFolder) -> None:
    await run_small(small_experiment(tmp_path), folder)
    ids = [row.id for row in folder.samples.read()]
    assert len(ids) == len(set(ids)) == ITEMS


async def test_request_rows_hold_no_text(tmp_path: Path, folder: ExperimentFolder) -> None:
    await run_small(small_experiment(tmp_path), folder, ScriptedBackend([Script("Hello canary-answer")]))
    stored = folder.requests.path.read_text()
    assert "canary-answer" in folder.samples.path.read_text()
    assert "canary-answer" not in stored
    assert "Say hello" not in stored


async def test_a_finished_run_asks_nothing_again(tmp_path: Path, folder: ExperimentFolder) -> None:
    experiment = small_experiment(tmp_path)
    await run_small(experiment, folder)
    backend = ScriptedBackend()
    await run_small(experiment, folder, backend)
    assert backend.calls == []


async def test_a_cancelled_run_goes_on_where_it_stopped(tmp_path: Path, folder: ExperimentFolder) -> None:
    experiment = small_experiment(tmp_path)
    enough = asyncio.Event()

    def watch(progress: Progress) -> None:
        if progress.done >= 10:
            enough.set()

    run = asyncio.create_task(run_small(experiment, folder, on_progress=watch))
    await enough.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    kept = {row.id for row in folder.samples.read()}
    assert 10 <= len(kept) < ITEMS

    results = await run_small(experiment, folder)
    ids = [row.id for row in folder.samples.read()]
    assert len(ids) == len(set(ids)) == ITEMS
    assert kept < set(ids)
    assert results.manifest["state"] == "done"


async def test_a_row_that_a_crash_cut_off_is_asked_again(tmp_path: Path, folder: ExperimentFolder) -> None:
    experiment = small_experiment(tmp_path, load=None)
    await run_small(experiment, folder)
    whole = folder.samples.path.read_bytes()
    folder.samples.path.write_bytes(whole[:-20])
    assert len(folder.samples.read()) == ITEMS - 1
    await run_small(experiment, folder)
    assert len(folder.samples.read()) == ITEMS


async def test_a_folder_of_another_experiment_is_refused(tmp_path: Path, folder: ExperimentFolder) -> None:
    await run_small(small_experiment(tmp_path, load=None), folder)
    with pytest.raises(ConfigurationError, match="another experiment"):
        await run_small(small_experiment(tmp_path, load=None, seed=1), folder)


async def test_probes_of_one_set_are_told_apart_by_their_names(
    tmp_path: Path, folder: ExperimentFolder
) -> None:
    shared = {"data": "piqa", "evaluator": "multiple_choice", "limit": 2}
    probes = [{"name": "as-it-is", **shared}, {"name": "once-more", **shared}]
    experiment = small_experiment(tmp_path, load=None, probes=probes, requirements={})
    results = await run_small(experiment, folder)
    titles = {score.title for score in results.scores}
    assert titles == {"Physical common sense: as it is", "Physical common sense: once more"}


async def test_a_second_run_of_the_same_folder_is_refused_and_the_first_goes_on(
    tmp_path: Path, folder: ExperimentFolder
) -> None:
    experiment = small_experiment(tmp_path, load=None)
    begun = asyncio.Event()
    first = asyncio.create_task(run_small(experiment, folder, on_progress=lambda progress: begun.set()))
    await begun.wait()
    with pytest.raises(ConfigurationError, match="is being run already"):
        await run_small(experiment, ExperimentFolder(folder.path))
    await first
    ids = [row.id for row in folder.samples.read()]
    assert len(ids) == len(set(ids)) == ITEMS


async def test_a_run_of_an_earlier_version_goes_on(tmp_path: Path, folder: ExperimentFolder) -> None:
    experiment = small_experiment(tmp_path, load=None)
    await run_small(experiment, folder)
    manifest = json.loads(folder.manifest_path.read_text())
    # As it was before a field with a default was added.
    del manifest["experiment"]["harness"]
    folder.write_json(folder.manifest_path, manifest | {"experiment_sha256": "of another version"})
    backend = ScriptedBackend()
    results = await run_small(experiment, folder, backend)
    assert backend.calls == []
    assert results.manifest["state"] == "done"


async def test_a_failed_request_is_no_wrong_answer(tmp_path: Path, folder: ExperimentFolder) -> None:
    def answer(request: GenerationRequest) -> Script:
        is_score = isinstance(request.prompt, TokenPrompt)
        return Script() if is_score else Script("", error=BackendFailed("broken"))

    experiment = small_experiment(tmp_path, load=None)
    results = await run_small(experiment, folder, ScriptedBackend(answer=answer))
    score = results.score("one", "own")
    assert score is not None
    assert score.summary.estimate is None
    assert score.summary.failed == 2
    failed = [row for row in folder.requests.read() if row.timing.outcome is RequestClass.FAILED]
    assert {row.timing.error for row in failed} == {"BackendFailed"}

    repaired = await run_small(experiment, folder)
    again = repaired.score("one", "own")
    assert again is not None
    assert again.summary.estimate is not None
    assert again.summary.failed == 0


async def test_load_tests_ask_for_answers_of_one_length(tmp_path: Path, folder: ExperimentFolder) -> None:
    backend = ScriptedBackend()
    await run_small(small_experiment(tmp_path, probes=[], requirements={}), folder, backend)
    asked = [call.request for call in backend.calls]
    assert all(isinstance(request.prompt, ChatPrompt) for request in asked)
    assert {request.params.max_tokens for request in asked} == {3}
    assert {request.params.ignore_eos for request in asked} == {True}
    loads = [row for row in folder.requests.read() if row.kind is RequestKind.LOAD]
    assert {row.timing.output_tokens for row in loads} == {3}
    assert {row.timing.outcome for row in loads} == {RequestClass.OK}


async def test_contended_candidates_are_loaded_together(tmp_path: Path, folder: ExperimentFolder) -> None:
    results = await run_small(
        small_experiment(tmp_path, probes=[], requirements={}, mode="contended"), folder
    )
    assert [verdict.is_isolated for verdict in results.verdicts] == [False, False]
    together = {row.candidate: row.together_with for row in folder.phases.read()}
    assert together == {"one": ("two",), "two": ("one",)}


async def test_progress_ends_with_everything_done(tmp_path: Path, folder: ExperimentFolder) -> None:
    seen: list[Progress] = []
    await run_small(small_experiment(tmp_path), folder, on_progress=seen.append)
    assert seen[-1].done == seen[-1].total == ITEMS
    assert seen[-1].fraction == pytest.approx(1.0)
    assert seen[-1].eta_seconds == pytest.approx(0.0, abs=1e-6)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
