"""Records the sample verdict that opens on first start: `python scripts/record_sample_verdict.py [FOLDER]`.

Runs the quick check of the embedded model against its int8 variant, or takes a finished run's folder, and puts the
labelled report with its verdict and manifest into assets/sample-verdict. Run it on a quiet machine.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from workbench.backends.catalogue import EMBEDDED_ID
from workbench.cli.experiments import run_experiment
from workbench.core.settings import read_settings
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.outputs import write_outputs
from workbench.experiments.spec.quick import quick_experiment

TARGET = Path(__file__).resolve().parent.parent / "assets" / "sample-verdict"
KEPT = ("report.html", "verdict.json", "manifest.json")


def main(arguments: list[str]) -> None:
    """Records the sample."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "run"
        if arguments:
            shutil.copytree(arguments[0], source)
        else:
            run_experiment(quick_experiment((EMBEDDED_ID, f"{EMBEDDED_ID}:int8")), source)
        folder = ExperimentFolder(source)
        write_outputs(folder, read_settings().home, recorded=_label(folder))
        TARGET.mkdir(exist_ok=True)
        for name in KEPT:
            shutil.copy(source / name, TARGET / name)


def _label(folder: ExperimentFolder) -> str:
    manifest = json.loads(folder.manifest_path.read_text("utf-8"))
    machine = manifest["machine"]
    return (
        f"Recorded on {manifest['began_at'][:10]} on another machine ({machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB): "
        "it shows what a verdict looks like, not what this machine does."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
