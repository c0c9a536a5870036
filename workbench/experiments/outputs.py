"""The files made of an experiment's rows: report, verdict and tables."""

from __future__ import annotations

from pathlib import Path

from workbench.experiments.deployment import deployment_section, read_config
from workbench.experiments.export import write_tables
from workbench.experiments.folder import ExperimentFolder
from workbench.experiments.report import report_html
from workbench.experiments.results import Results, read_results
from workbench.experiments.verdict_json import verdict_json


def write_outputs(folder: ExperimentFolder, home: Path, *, recorded: str = "") -> Results:
    """Computes the results from the stored rows and writes every file anew.

    Raises: ConfigurationError where there is no experiment.
    """
    results = read_results(folder)
    about = results.manifest["candidates"]
    deployment = deployment_section(
        results, {name: read_config(str(entry["source"]), home) for name, entry in about.items()}
    )
    folder.write_json(folder.verdict_path, verdict_json(results, deployment))
    folder.write_text(folder.report_path, report_html(results, deployment, recorded=recorded))
    write_tables(folder, results)
    return results
