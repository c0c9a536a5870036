from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from tests.sites import MODEL, OTHER_MODEL, scripted_workbench
from workbench.backends.pool import ModelStatus
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import ModelCard, ModelState
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import BackendFailed
from workbench.core.settings import Settings
from workbench.service import Workbench
from workbench.ui.compare.comparison import (
    Mode,
    Pane,
    PaneChange,
    conditions_of,
    speed_remark,
    stream_comparison,
)
from workbench.ui.thread.answer import Ask
from workbench.ui.thread.session import CompareSession


@dataclass(slots=True)
class Comparison:
    """Two panes over one scripted backend, which counts how many answers run at once."""

    workbench: Workbench
    backend: ScriptedBackend
    session: CompareSession
    most_at_once: int = 0

    def run(self, mode: Mode) -> AsyncGenerator[PaneChange, None]:
        panes = []
        for place, model in enumerate((MODEL, OTHER_MODEL)):
            pane = self.session.panes[place]
            pane.begin("Hello", model)
            panes.append(Pane(place, pane, Ask(model)))
        return stream_comparison(self.workbench, self.session, panes, mode, LOCAL_USER)

    async def watch(self, mode: Mode) -> list[PaneChange]:
        changes = []
        async for change in self.run(mode):
            self.most_at_once = max(self.most_at_once, self.backend.running)
            changes.append(change)
        return changes


@pytest.fixture
def scripts() -> list[Script]:
    return [Script("word " * 30, token_seconds=0.004)]


@pytest.fixture
async def comparison(settings: Settings, scripts: list[Script]) -> AsyncGenerator[Comparison, None]:
    backend = ScriptedBackend(scripts)
    workbench = scripted_workbench(backend, settings)
    await workbench.start()
    yield Comparison(workbench, backend, CompareSession())
    await workbench.stop()


async def test_isolated_answers_never_run_beside_each_other_and_say_so(comparison: Comparison) -> None:
    await comparison.watch(Mode.ISOLATED)
    assert comparison.most_at_once == 1
    for pane in comparison.session.panes[:2]:
        metrics = pane.turns[-1].metrics
        assert metrics is not None
        assert metrics.conditions == "isolated"
        assert metrics.completion_tokens == 30


async def test_contended_answers_run_at_once_and_say_so(comparison: Comparison) -> None:
    await comparison.watch(Mode.CONTENDED)
    assert comparison.most_at_once == 2
    metrics = comparison.session.panes[1].turns[-1].metrics
    assert metrics is not None
    assert metrics.conditions == "contended by 2"


@pytest.mark.parametrize("mode", list(Mode))
async def test_stopping_ends_all_and_starts_no_further_one(comparison: Comparison, mode: Mode) -> None:
    async for _ in comparison.run(mode):
        if comparison.session.panes[0].turns[-1].answer:
            comparison.session.is_stopping = True
    assert comparison.backend.running == 0
    assert len(comparison.backend.calls) == (1 if mode is Mode.ISOLATED else 2)
    assert not comparison.session.is_running


async def test_closing_frees_every_place(comparison: Comparison) -> None:
    changes = comparison.run(Mode.CONTENDED)
    async for _ in changes:
        if comparison.backend.running == 2:
            break
    await changes.aclose()
    assert comparison.backend.running == 0


@pytest.mark.parametrize("scripts", [[Script("", error=BackendFailed("It broke")), Script("fine")]])
async def test_one_that_fails_does_not_stop_the_other(comparison: Comparison) -> None:
    changes = await comparison.watch(Mode.ISOLATED)
    assert any("It broke" in notice for change in changes for notice in change.notices.values())
    assert comparison.session.panes[1].turns[-1].answer == "fine"


@pytest.mark.parametrize(
    ("mode", "streams", "others", "words"),
    [
        (Mode.ISOLATED, 1, 0, "isolated"),
        (Mode.ISOLATED, 1, 2, "isolated, 2 other calls beside"),
        (Mode.CONTENDED, 3, 1, "contended by 3, 1 other call beside"),
        (Mode.CONTENDED, 2, -1, "contended by 2"),
    ],
)
def test_every_number_says_what_ran_beside_it(mode: Mode, streams: int, others: int, words: str) -> None:
    assert conditions_of(mode, streams, others) == words


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (ModelCard("m", "s", quantization="int8"), "On a CPU a step of int8 reads a quarter"),
        (ModelCard("m", "s", quantization="nf4"), "On a CPU nf4 saves memory rather than time: its weights"),
        (ModelCard("m", "s"), ""),
        (ModelCard("m", "s", quantization="int8", region="elsewhere"), ""),
    ],
)
def test_the_speed_of_quantized_weights_here_comes_with_its_reason(card: ModelCard, words: str) -> None:
    remark = speed_remark(ModelStatus(card, ModelState.READY))
    assert remark.startswith(words)
    assert bool(remark) is bool(words)
