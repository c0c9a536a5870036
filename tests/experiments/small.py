"""A small experiment over a scripted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sites import MODEL, OTHER_MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.settings import Settings
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.outputs import write_outputs
from workbench.experiments.results.outcome import Results
from workbench.experiments.run.progress import OnProgress, Progress
from workbench.experiments.run.runner import ExperimentRunner
from workbench.experiments.run.service_respondent import ServiceRespondent
from workbench.experiments.spec.experiment import Experiment, parse_experiment

JUDGE = "scripted/judge"

OWN_DATA = """\
{"id": "a", "prompt": "Say hello.", "expected": "Hello"}
{"id": "b", "prompt": "Say goodbye.", "expected": "Goodbye"}
"""


def small_experiment(folder: Path, **changes: Any) -> Experiment:
    """Two candidates, likelihoods and written answers, half a second of load."""
    data = folder / "own.jsonl"
    data.write_text(OWN_DATA)
    table: dict[str, Any] = {
        "name": "Small",
        "candidates": [{"model": MODEL, "label": "one"}, {"model": OTHER_MODEL, "label": "two"}],
        "probes": [
            {"name": "common-sense", "data": "piqa", "evaluator": "multiple_choice", "limit": 12},
            {"name": "stereotypes", "data": "crows-pairs", "evaluator": "pair_preference", "limit": 6},
            {"name": "own", "data": str(data), "evaluator": "contains"},
        ],
        "load": {"rate": "40/s", "duration": "0.5s", "output_tokens": 3},
        "requirements": {
            "ttft_p95_ms": 1000,
            "tpot_p95_ms": 1000,
            "output_tokens_per_second": 1,
            "requests_per_minute": 60,
            "quality": {"common-sense": 0.5, "stereotypes": {"at_most": 0.6}},
        },
    }
    return parse_experiment(table | changes)


async def run_small(
    experiment: Experiment,
    folder: ExperimentFolder,
    backend: ScriptedBackend | None = None,
    on_progress: OnProgress | None = None,
) -> Results:
    """Runs it over a scripted model and writes all its files."""

    def ignore(progress: Progress) -> None:
        """Nobody watches."""

    settings = Settings(home=folder.path)
    workbench = scripted_workbench(backend or ScriptedBackend(), settings, models=(MODEL, OTHER_MODEL, JUDGE))
    try:
        respondent = ServiceRespondent(workbench, LOCAL_USER)
        await ExperimentRunner(experiment, folder, respondent, on_progress or ignore).run()
    finally:
        await workbench.stop(0)
    return write_outputs(folder, folder.path)


def longer_answer(text: str) -> Script:
    """What a judge says who is shown two answers and goes by their length."""
    first, second = text.split("[Answer A]\n")[1].split("\n\n[Answer B]\n")
    side = "A" if len(first) > len(second.split("\n\nGive your")[0]) else "B"
    return Script(f"Verdict: {side}")
