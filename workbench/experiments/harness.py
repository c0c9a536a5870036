"""lm-evaluation-harness: an installed task asked of a candidate through the API, and its scores brought in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.base import Scale
from evaluators.summary import ScoreRow, ScoreSummary, scores_frame, summarise
from workbench.core.errors import ConfigurationError

INSTALL_COMMAND = "python -m venv lm-eval && lm-eval/bin/pip install 'lm-eval[api]' transformers torch"
_KEY_VARIABLE = "OPENAI_API_KEY"
"""What lm-evaluation-harness reads; only its own process is given it."""


@dataclass(frozen=True, slots=True)
class HarnessRun:
    """What is asked of whom. `model_type` and `model_args` are lm-evaluation-harness's own."""

    python: Path
    """An interpreter that has lm-evaluation-harness."""
    tasks: tuple[str, ...]
    model_type: str
    model_args: Mapping[str, str | int]
    out: Path
    task_folder: Path | None = None
    """Tasks of one's own, as YAML files."""
    limit: int | None = None
    batch_size: int = 1
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class HarnessItem:
    """One item of a task. `logprobs` holds each choice's log-likelihood in nats, where the task compares choices."""

    task: str
    id: str
    metric: str
    value: float
    logprobs: tuple[float, ...] = ()
    document: str = ""
    """A hash of what was asked, where the harness gives one."""


def find_harness(python: Path | None) -> Path:
    """An interpreter with lm-evaluation-harness: the named one, else this one.

    Raises: ConfigurationError with the command that installs it.
    """
    found = Path(sys.executable) if python is None else python
    check = "import importlib.util as u, sys; sys.exit(u.find_spec('lm_eval') is None)"
    try:
        is_there = subprocess.run([str(found), "-c", check], capture_output=True, check=False).returncode == 0
    except OSError as failure:
        raise ConfigurationError(f"{found} cannot be run.") from failure
    if not is_there:
        raise ConfigurationError(
            f"{found} has no lm-evaluation-harness. Install it apart, as in `{INSTALL_COMMAND}`, and name that "
            "environment's python."
        )
    return found


def completions_args(base_url: str, model: str, tokenizer: str, *, concurrent: int) -> dict[str, str | int]:
    """`local-completions` against an OpenAI-compatible server; `base_url` as in http://127.0.0.1:7860/openai/v1."""
    return {
        "model": model,
        "base_url": f"{base_url.rstrip('/')}/completions",
        "tokenizer_backend": "huggingface",
        "tokenizer": tokenizer,
        "num_concurrent": concurrent,
        "max_retries": 3,
        "max_length": 8192,
    }


def run_harness(run: HarnessRun) -> tuple[HarnessItem, ...]:
    """Runs the tasks in a process of their own, which writes into `out`; every item's score.

    Raises: ConfigurationError when it fails; what it says goes to standard error.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    environment = os.environ | ({_KEY_VARIABLE: run.api_key} if run.api_key else {})
    ended = subprocess.run(_command(run), env=environment, stdout=sys.stderr, check=False)
    if ended.returncode != 0:
        raise ConfigurationError(f"lm-evaluation-harness ended with exit code {ended.returncode}.")
    return read_items(run.out)


def _command(run: HarnessRun) -> list[str]:
    arguments = ",".join(f"{name}={value}" for name, value in run.model_args.items())
    command = [str(run.python), "-m", "lm_eval", "run", "--model", run.model_type, "--model_args", arguments]
    command += ["--tasks", *run.tasks, "--output_path", str(run.out), "--log_samples"]
    command += ["--batch_size", str(run.batch_size)]
    if run.task_folder is not None:
        command += ["--include_path", str(run.task_folder)]
    return command if run.limit is None else [*command, "--limit", str(run.limit)]


def read_items(out: Path) -> tuple[HarnessItem, ...]:
    """Every item that the latest run in this folder has logged.

    Raises: ConfigurationError where there is none.
    """
    latest: dict[str, Path] = {}
    for path in sorted(out.rglob("samples_*.jsonl")):
        # samples_TASK_TIME.jsonl: the last one of a task in the order of names is the latest.
        latest[path.stem.removeprefix("samples_").rpartition("_")[0]] = path
    items = [
        item
        for task, path in latest.items()
        for line in path.read_text("utf-8").splitlines()
        for item in _items(task, json.loads(line))
    ]
    if not items:
        raise ConfigurationError(f"{out} holds no samples of lm-evaluation-harness.")
    return tuple(items)


def _items(task: str, row: Mapping[str, Any]) -> list[HarnessItem]:
    """The row's metrics that are numbers, each an item."""
    logprobs = tuple(float(answer[0]) for answer in row["filtered_resps"] if _is_likelihood(answer))
    values = {name: row[name] for name in row.get("metrics", ()) if isinstance(row.get(name), int | float)}
    suffix = "" if row.get("filter", "none") == "none" else f", {row['filter']}"
    return [
        HarnessItem(
            task, str(row["doc_id"]), f"{name}{suffix}", float(value), logprobs, str(row.get("doc_hash", ""))
        )
        for name, value in values.items()
    ]


def _is_likelihood(answer: object) -> bool:
    """Whether this is a log-likelihood and whether it is greedy, which the harness writes as two texts."""
    return isinstance(answer, list) and len(answer) == 2 and str(answer[1]) in ("True", "False")


@dataclass(frozen=True, slots=True)
class HarnessScore:
    """One metric of one task, with our own interval."""

    task: str
    metric: str
    summary: ScoreSummary


def harness_scores(items: Sequence[HarnessItem]) -> list[HarnessScore]:
    """The mean of every metric of every task: a rate where all values are 0 or 1."""
    scores: list[HarnessScore] = []
    for task, metric in dict.fromkeys((item.task, item.metric) for item in items):
        rows = [
            ScoreRow("model", item.id, 0, metric, item.value)
            for item in items
            if (item.task, item.metric) == (task, metric)
        ]
        scale = scale_of(row.value for row in rows if row.value is not None)
        scores.append(HarnessScore(task, metric, summarise(scores_frame(rows), scale)))
    return scores


def scale_of(values: Iterable[float]) -> Scale:
    """A rate where all values are 0 or 1, else a number."""
    return Scale.BINARY if set(values) <= {0.0, 1.0} else Scale.NUMBER
