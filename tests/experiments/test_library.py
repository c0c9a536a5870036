"""Experiments of an account: started, watched, cancelled, read and deleted by it alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from evaluators.data import paste_evaluation_set
from tests.experiments.small import small_experiment
from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import GenerationRequest
from workbench.core.errors import ConfigurationError, InvalidRequest, ModelNotAllowed, ModelNotFound, NotFound
from workbench.core.settings import Settings
from workbench.experiments.library import ExperimentLibrary
from workbench.experiments.spec.experiment import parse_experiment
from workbench.experiments.spec.quick import OWN_PROBE, probe_of
from workbench.store import FILE_NAME, Store
from workbench.store.experiments import ExperimentState

STRANGER = Caller("account:other", "other")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store, None]:
    async with await Store.open(tmp_path / FILE_NAME) as store:
        yield store


@pytest.fixture
def enough() -> asyncio.Event:
    """Set once the model was asked a few times."""
    return asyncio.Event()


@pytest.fixture
async def library(
    settings: Settings, store: Store, enough: asyncio.Event
) -> AsyncGenerator[ExperimentLibrary, None]:
    asked = 0

    def answer(request: GenerationRequest) -> Script:
        nonlocal asked
        asked += 1
        if asked == 20:
            enough.set()
        return Script(token_seconds=0.01)

    workbench = scripted_workbench(ScriptedBackend(answer=answer), settings, store=store)
    yield ExperimentLibrary(workbench)
    await workbench.stop(0)


async def test_a_run_is_listed_recorded_and_read(
    tmp_path: Path, library: ExperimentLibrary, store: Store
) -> None:
    id_ = await library.start(small_experiment(tmp_path), LOCAL_USER)
    assert library.running(LOCAL_USER) == id_
    await library.ended(id_, LOCAL_USER)
    (entry,) = library.entries(LOCAL_USER)
    assert (entry.id, entry.state, entry.candidates) == (id_, "done", ("one", "two"))
    assert entry.decision in ("go", "no_go", "not_enough_data")
    assert "Small" in library.report(id_, LOCAL_USER)
    (record,) = await store.experiments.list("local")
    assert (record.state, record.verdict, record.samples) == (ExperimentState.DONE, entry.decision, 40)


async def test_a_cancelled_run_keeps_a_report(
    tmp_path: Path, library: ExperimentLibrary, store: Store, enough: asyncio.Event
) -> None:
    id_ = await library.start(small_experiment(tmp_path), LOCAL_USER)
    await enough.wait()
    library.cancel(id_, LOCAL_USER)
    await library.ended(id_, LOCAL_USER)
    (entry,) = library.entries(LOCAL_USER)
    assert entry.state == "cancelled"
    assert "cut short" in library.report(id_, LOCAL_USER)
    (record,) = await store.experiments.list("local")
    assert record.state is ExperimentState.INTERRUPTED


async def test_a_cancelled_run_goes_on_without_the_file_it_came_from(
    tmp_path: Path, library: ExperimentLibrary, enough: asyncio.Event
) -> None:
    id_ = await library.start(small_experiment(tmp_path), LOCAL_USER)
    await enough.wait()
    with pytest.raises(InvalidRequest):
        await library.resume(id_, LOCAL_USER)
    library.cancel(id_, LOCAL_USER)
    await library.ended(id_, LOCAL_USER)
    (tmp_path / "own.jsonl").unlink()
    with pytest.raises(NotFound):
        await library.resume(id_, STRANGER)
    await library.resume(id_, LOCAL_USER)
    assert library.running(LOCAL_USER) == id_
    await library.ended(id_, LOCAL_USER)
    (entry,) = library.entries(LOCAL_USER)
    assert entry.state == "done"
    assert len(library.results(id_, LOCAL_USER).samples) == 40
    with pytest.raises(InvalidRequest):
        await library.resume(id_, LOCAL_USER)


async def test_an_experiment_is_its_accounts_alone(tmp_path: Path, library: ExperimentLibrary) -> None:
    id_ = await library.start(small_experiment(tmp_path, load=None, requirements={}), LOCAL_USER)
    library.cancel(id_, STRANGER)
    assert library.progress(id_, STRANGER) is None
    await library.ended(id_, LOCAL_USER)
    assert library.entries(STRANGER) == []
    for attempt in (library.report, library.delete):
        with pytest.raises(NotFound):
            attempt(id_, STRANGER)
    assert len(library.entries(LOCAL_USER)) == 1


@pytest.mark.parametrize("id_", ["..", "../other", "", "/etc", "nothing"])
async def test_an_id_is_no_path(library: ExperimentLibrary, id_: str) -> None:
    with pytest.raises(NotFound):
        library.report(id_, LOCAL_USER)


async def test_deleting_leaves_no_file(
    tmp_path: Path, settings: Settings, library: ExperimentLibrary
) -> None:
    id_ = await library.start(small_experiment(tmp_path, load=None, requirements={}), LOCAL_USER)
    await library.ended(id_, LOCAL_USER)
    library.delete(id_, LOCAL_USER)
    assert library.entries(LOCAL_USER) == []
    assert list((settings.home / "experiments").iterdir()) == []


async def test_a_candidate_that_may_not_be_used_is_refused(
    tmp_path: Path, library: ExperimentLibrary
) -> None:
    unknown = small_experiment(tmp_path, candidates=[{"model": "no/such"}])
    with pytest.raises(ModelNotFound):
        await library.start(unknown, LOCAL_USER)
    scoped = Caller("key", "local", models=frozenset({MODEL}))
    with pytest.raises(ModelNotAllowed):
        await library.start(small_experiment(tmp_path), scoped)


async def test_rows_of_ones_own_are_kept_in_the_experiments_folder_alone(
    settings: Settings, library: ExperimentLibrary
) -> None:
    own = paste_evaluation_set("prompt,expected\nSay canary-question.,Hello\n").samples
    table = {"candidates": [{"model": MODEL}], "probes": [probe_of(own, OWN_PROBE).model_dump(mode="json")]}
    id_ = await library.start(parse_experiment(table), LOCAL_USER, own)
    await library.ended(id_, LOCAL_USER)
    (row,) = library.results(id_, LOCAL_USER).samples
    assert (row.probe, row.value) == (OWN_PROBE, 1.0)
    library.delete(id_, LOCAL_USER)
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert not [path for path in files if b"canary-question" in path.read_bytes()]


async def test_a_page_runs_no_code(tmp_path: Path, library: ExperimentLibrary) -> None:
    probe = {"name": "mine", "data": "reading", "evaluator": "python_function", "settings": {"file": "x.py"}}
    experiment = small_experiment(tmp_path, probes=[probe], requirements={})
    with pytest.raises(ConfigurationError, match="Only `workbench evaluate`"):
        await library.start(experiment, LOCAL_USER)
    assert library.entries(LOCAL_USER) == []


def test_an_estimate_is_in_words(tmp_path: Path, library: ExperimentLibrary) -> None:
    assert "nothing was measured here yet" in library.estimate(small_experiment(tmp_path))
