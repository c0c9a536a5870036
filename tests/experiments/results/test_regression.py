"""Past experiments against later ones: paired by what was asked, alarmed only beyond chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.experiments.small import run_small, small_experiment
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import GenerationRequest
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.regression import Change, Regression, compare_experiments
from workbench.experiments.spec.experiment import Experiment

ITEMS = 12


def asked(home: Path, first_id: int, **changes: Any) -> Experiment:
    """Twelve questions, numbered from `first_id` on."""
    home.mkdir()
    rows = [f'{{"id": "{n + first_id}", "prompt": "Say w{n}", "expected": "w{n}"}}\n' for n in range(ITEMS)]
    own = {"name": "own", "data": str(home / "own.jsonl"), "evaluator": "contains"}
    experiment = small_experiment(home, **{"probes": [own], "load": None, "requirements": {}, **changes})
    (home / "own.jsonl").write_text("".join(rows))
    return experiment


async def answered(home: Path, right: bool, *, first_id: int = 0, **changes: Any) -> Results:
    """An experiment over the same questions, all answered rightly or all wrongly."""
    experiment = asked(home, first_id, **changes)

    def answer(request: GenerationRequest) -> Script:
        said = request.prompt.messages[-1].content  # type: ignore[union-attr]
        return Script(said.removeprefix("Say ") if right else "nothing")

    return await run_small(experiment, ExperimentFolder(home / "run"), ScriptedBackend(answer=answer))


async def compared(tmp_path: Path, before: bool, after: bool) -> Regression:
    one = await answered(tmp_path / "one", before)
    two = await answered(tmp_path / "two", after, first_id=100)
    return compare_experiments(one, "one", two, "one")


async def test_a_drop_beyond_chance_is_an_alarm(tmp_path: Path) -> None:
    found = await compared(tmp_path, before=True, after=False)
    (change,) = found.quality
    assert change.change is Change.WORSE
    assert change.comparison.difference.value == -1.0
    assert change.comparison.difference.count == ITEMS
    assert found.is_alarming


async def test_a_rise_is_none(tmp_path: Path) -> None:
    found = await compared(tmp_path, before=False, after=True)
    assert [change.change for change in found.quality] == [Change.BETTER]
    assert not found.is_alarming


async def test_the_same_again_shows_no_change(tmp_path: Path) -> None:
    found = await compared(tmp_path, before=True, after=True)
    assert [change.change for change in found.quality] == [Change.OPEN]


async def test_what_was_asked_otherwise_is_said_and_not_compared(tmp_path: Path) -> None:
    one = await answered(tmp_path / "one", True)
    probe = {"name": "own", "data": str(tmp_path / "two" / "own.jsonl"), "evaluator": "exact_match"}
    two = await answered(tmp_path / "two", True, probes=[probe])
    found = compare_experiments(one, "one", two, "two")
    assert found.quality == ()
    assert found.notes == ("own: it was judged in another way.",)


async def test_speed_is_compared_under_the_same_load_only(tmp_path: Path) -> None:
    load = {"rate": "40/s", "duration": "0.6s", "output_tokens": 3}
    one = await answered(tmp_path / "one", True, load=load)
    two = await answered(tmp_path / "two", True, load=load)
    other = await answered(tmp_path / "three", True, load=load | {"output_tokens": 2})
    same = compare_experiments(one, "one", two, "one")
    assert [change.name for change in same.speed][-1] == "Output tokens a second"
    for change in same.speed:
        assert change.before.count > 0
    different = compare_experiments(one, "one", other, "one")
    assert different.speed == ()
    assert "Speed: the two were tested under different loads." in different.notes
