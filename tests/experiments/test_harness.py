"""lm-evaluation-harness is refused when absent, asked in a process of its own, and its samples become scores."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from workbench.core.errors import ConfigurationError
from workbench.experiments.harness import (
    HarnessRun,
    completions_args,
    find_harness,
    harness_scores,
    read_items,
    run_harness,
)

FAKE = """
import json, os, pathlib, sys
arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--output_path") + 1]) / "some__model"
out.mkdir(parents=True)
(out / "asked.json").write_text(json.dumps({"arguments": arguments, "key": os.environ.get("OPENAI_API_KEY")}))
rows = [
    {"doc_id": n, "metrics": ["acc", "acc_norm"], "acc": float(n < 6), "acc_norm": 1.0, "filter": "none",
     "filtered_resps": [[str(-1.5 - n), "True"], ["-2.5", "False"]]}
    for n in range(12)
]
(out / "samples_small_2026-01-02T03-04-05.json").write_text("")
(out / "samples_small_2026-01-02T03-04-05.jsonl").write_text("".join(json.dumps(row) + chr(10) for row in rows))
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter in whose environment a fake harness is installed."""
    package = tmp_path / "packages" / "lm_eval"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(FAKE)
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{package.parent}" exec "{sys.executable}" "$@"\n')
    script.chmod(0o700)
    return script


def test_without_the_harness_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o700)
    with pytest.raises(ConfigurationError, match=r"pip install 'lm-eval\[api\]'"):
        find_harness(script)


def test_a_python_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be run"):
        find_harness(tmp_path / "nowhere")


def test_every_item_becomes_a_score_with_an_interval(tmp_path: Path, python: Path) -> None:
    args = completions_args("http://127.0.0.1:1/openai/v1/", "some/model", "folder", concurrent=2)
    run = HarnessRun(
        find_harness(python),
        ("small",),
        "local-completions",
        args,
        tmp_path / "out",
        limit=12,
        api_key="wb-secret",
    )
    scores = {score.metric: score.summary.estimate for score in harness_scores(run_harness(run))}
    accuracy = scores["acc"]
    assert accuracy is not None
    assert (accuracy.value, accuracy.count) == (0.5, 12)
    assert accuracy.interval is not None
    asked = json.loads((tmp_path / "out" / "some__model" / "asked.json").read_text())
    assert "wb-secret" not in " ".join(asked["arguments"])
    assert asked["key"] == "wb-secret"
    assert "base_url=http://127.0.0.1:1/openai/v1/completions" in " ".join(asked["arguments"])


def test_log_likelihoods_are_kept_by_item(tmp_path: Path, python: Path) -> None:
    run_harness(HarnessRun(python, ("small",), "local-completions", {"model": "m"}, tmp_path / "out"))
    items = {item.id: item for item in read_items(tmp_path / "out") if item.metric == "acc"}
    assert items["3"].logprobs == (-4.5, -2.5)


def test_a_folder_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no samples"):
        read_items(tmp_path)


def test_a_run_that_fails_says_so(tmp_path: Path, python: Path) -> None:
    (tmp_path / "packages" / "lm_eval" / "__main__.py").write_text("raise SystemExit(3)")
    with pytest.raises(ConfigurationError, match="exit code 3"):
        run_harness(HarnessRun(python, ("small",), "local-completions", {}, tmp_path / "out"))
