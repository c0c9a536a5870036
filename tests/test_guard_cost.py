"""The cost of a guard: each mode measured as often as the others, and the guard's own time seen in it."""

from __future__ import annotations

import random

import pytest

from guard.policy import Mode
from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import NotFound
from workbench.core.settings import Settings
from workbench.guard_cost import Prompts, judging_all, measure_cost
from workbench.service import Workbench


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGuard:
    guard = FakeGuard(name="embedded")
    replace_embedded(monkeypatch, guard)
    return guard


@pytest.fixture
def workbench(settings: Settings) -> Workbench:
    script = Script("one two three four", token_seconds=0.001)
    return scripted_workbench(ScriptedBackend(answer=lambda request: script), settings)


async def test_every_mode_has_a_row_and_only_blocking_holds_back(
    workbench: Workbench, fake: FakeGuard
) -> None:
    steps: list[tuple[int, int]] = []
    rows = await measure_cost(
        workbench,
        LOCAL_USER,
        "embedded",
        rounds=2,
        on_progress=lambda done, total: steps.append((done, total)),
    )
    assert [row.mode for row in rows] == [Mode.OFF, Mode.SCORE, Mode.BLOCK]
    assert steps == [(number, 6) for number in range(1, 7)]
    assert all(row.first_token_ms > 0 and row.tokens_per_second > 0 for row in rows)
    assert [row.holdback_ms is None for row in rows[:2]] == [True, True]


async def test_a_guard_that_is_not_there_is_not_measured(workbench: Workbench) -> None:
    with pytest.raises(NotFound):
        await measure_cost(workbench, LOCAL_USER, "bouncer")


def test_no_two_prompts_are_alike() -> None:
    prompts = Prompts(300, random.Random(0))
    assert len({prompts.next() for _ in range(20)}) == 20


def test_nothing_is_cut_short_by_what_is_measured() -> None:
    assert judging_all(Mode.OFF, "embedded") is None
    choice = judging_all(Mode.BLOCK, "embedded")
    assert choice is not None
    assert choice.policy.output.threshold == 1.0
