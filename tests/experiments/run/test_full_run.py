"""The full run - seven questions, a sweep of loads, answers asked again under load - cut off twice and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.experiments.small import run_small
from tests.sites import MODEL, OTHER_MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import GenerationRequest, TokenPrompt
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind
from workbench.experiments.run.progress import Progress
from workbench.experiments.spec.experiment import Experiment, parse_experiment
from workbench.experiments.spec.load import LoadSpec
from workbench.experiments.spec.seven_questions import QUESTIONS, question_experiment

SWEEP = LoadSpec(rate="60/s", duration="0.4s", sweep_to="120/s", refinements=0, output_tokens=2)


def full_experiment() -> Experiment:
    """The command's own full run, with an item a probe and short levels."""
    asked = question_experiment([MODEL, OTHER_MODEL], items=1, is_full=True)
    return parse_experiment(asked.model_copy(update={"load": SWEEP}).as_json())


def answer(request: GenerationRequest) -> Script:
    return Script() if isinstance(request.prompt, TokenPrompt) else Script("Because of that. Answer: yes.")


def run_until(folder: ExperimentFolder, is_enough: Callable[[Progress], bool]) -> None:
    """Runs the experiment and cuts it off at the first progress that is enough."""

    async def run() -> None:
        task: asyncio.Task[object] | None = None

        def watch(progress: Progress) -> None:
            if task is not None and is_enough(progress):
                task.cancel()

        task = asyncio.create_task(
            run_small(full_experiment(), folder, ScriptedBackend(answer=answer), on_progress=watch)
        )
        await asyncio.wait({task})

    asyncio.run(run())


def test_a_full_run_that_is_cut_off_twice_asks_nothing_twice_and_answers_all_seven(tmp_path: Path) -> None:
    folder = ExperimentFolder(tmp_path / "run")
    run_until(folder, lambda progress: len(folder.samples.read()) >= 5)
    first = len(folder.samples.read())
    items = len(full_experiment().probes) * 2
    assert 5 <= first < items
    run_until(folder, lambda progress: any(p.asked_rate is not None for p in folder.phases.read()))
    assert sum(p.kind is PhaseKind.SWEEP for p in folder.phases.read()) < 2

    results = asyncio.run(run_small(full_experiment(), folder, ScriptedBackend(answer=answer)))

    ids = [row.id for row in folder.samples.read()]
    assert len(set(ids)) == len(ids) == items
    done = [p for p in folder.phases.read() if p.is_complete]
    for name in ("model", "other"):
        assert [p.candidate for p in done if p.kind is PhaseKind.SWEEP].count(name) == 1
        assert {r.concurrency for r in results.stability if r.candidate == name} == {1, 4, 8}
    assert results.manifest["state"] == "done"
    report = (tmp_path / "run" / "report.html").read_text()
    assert all(f"<h3>{question.title}</h3>" in report for question in QUESTIONS)
