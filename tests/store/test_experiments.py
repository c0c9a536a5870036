from __future__ import annotations

import pytest

from tests.store.clock import Clock
from workbench.core.errors import NotFound
from workbench.store import Store
from workbench.store.experiments import Experiment, ExperimentState


async def _begin(store: Store, account: str = "ada") -> Experiment:
    return await store.experiments.begin(
        name="tickets", account=account, models=["a", "b"], spec_hash="0" * 64, folder="runs/1"
    )


async def test_an_experiment_runs_and_ends_with_its_verdict(store: Store, clock: Clock) -> None:
    begun = await _begin(store)
    assert (begun.state, begun.models, begun.ended_at) == (ExperimentState.RUNNING, ("a", "b"), None)
    clock.advance(minutes=5)
    ended = await store.experiments.end(begun.id, ExperimentState.DONE, samples=120, verdict="no-go")
    assert ended == await store.experiments.get(begun.id)
    assert (ended.state, ended.samples, ended.verdict) == (ExperimentState.DONE, 120, "no-go")
    assert (ended.begun_at, ended.ended_at) == (begun.begun_at, clock.now)


async def test_what_ran_when_the_process_died_is_marked_as_interrupted(store: Store) -> None:
    running, done = await _begin(store), await _begin(store)
    await store.experiments.end(done.id, ExperimentState.DONE)
    assert await store.experiments.mark_interrupted() == 1
    assert (await store.experiments.get(running.id)).state is ExperimentState.INTERRUPTED
    assert (await store.experiments.get(done.id)).state is ExperimentState.DONE
    assert await store.experiments.mark_interrupted() == 0


async def test_experiments_are_listed_newest_first_and_by_account(store: Store, clock: Clock) -> None:
    first = await _begin(store)
    clock.advance(seconds=1)
    second = await _begin(store, "bob")
    assert [one.id for one in await store.experiments.list()] == [second.id, first.id]
    assert [one.id for one in await store.experiments.list("ada")] == [first.id]


async def test_an_unknown_experiment_is_named_as_such(store: Store) -> None:
    with pytest.raises(NotFound, match="no experiment"):
        await store.experiments.end("exp_none", ExperimentState.DONE)
