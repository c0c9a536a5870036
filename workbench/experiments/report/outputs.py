"""The files made of an experiment's rows: report, verdict, tables, and how to start each candidate elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from workbench.experiments.plan.deployment import DeploymentSection, deployment_section
from workbench.experiments.plan.forecasts import read_config
from workbench.experiments.plan.gpu_prices import read_hardware
from workbench.experiments.plan.start_commands import StartFiles, start_files
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.page import report_html
from workbench.experiments.report.tables import write_tables
from workbench.experiments.report.verdict_json import verdict_json
from workbench.experiments.results.outcome import Results, read_results

START_FOLDER = "start"


def write_outputs(folder: ExperimentFolder, home: Path, *, recorded: str = "") -> Results:
    """Computes the results from the stored rows and writes every file anew.

    Raises: ConfigurationError where there is no experiment.
    """
    results = read_results(folder)
    about = results.manifest["candidates"]
    configs = {name: read_config(str(entry["source"]), home) for name, entry in about.items()}
    deployment = deployment_section(results, configs, read_hardware(home))
    start = start_files(results, _machines(deployment))
    folder.write_json(folder.verdict_path, verdict_json(results, deployment))
    folder.write_text(folder.report_path, report_html(results, deployment, start, recorded=recorded))
    write_tables(folder, results)
    _write_start_files(folder.path / START_FOLDER, start)
    return results


def _machines(deployment: DeploymentSection) -> dict[str, int]:
    plan = deployment.plan
    if plan is None:
        return {}
    choices = (plan.best_performance, plan.lowest_cost, plan.best_value)
    return {choice.deployment.name: choice.machines for choice in choices if choice is not None}


def _write_start_files(root: Path, start: Sequence[StartFiles]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for candidate in start:
        (root / candidate.folder).mkdir(parents=True)
        for name, text in candidate.files.items():
            (root / candidate.folder / name).write_text(text, "utf-8")
