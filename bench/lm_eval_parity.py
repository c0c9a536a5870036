"""lm-evaluation-harness over the API against the same weights in its own process: do both say the same?

Run by hand: `python bench/lm_eval_parity.py --lm-eval-python VENV/bin/python`. It starts a server of its own, asks two
multiple-choice tasks made of the built-in sets through `local-completions`, asks them again of `hf` in process, and
compares every item. The exit code is 1 when an accuracy differs or a log-likelihood is off by more than 0.01 nats.
Without --lm-eval-python it says how to install the harness and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evaluators.data import builtin_sets, load_builtin
from workbench.backends.catalogue import EMBEDDED_ID
from workbench.core.settings import read_settings
from workbench.engine.weights import embedded_folder
from workbench.experiments.harness import (
    INSTALL_COMMAND,
    HarnessItem,
    HarnessRun,
    completions_args,
    find_harness,
    read_items,
    run_harness,
)

MOST_NATS = 0.01
SETS = ("piqa", "truthfulqa")
STARTUP_SECONDS = 180
EMBEDDED_FOLDER = "smollm2-135m-instruct"


def write_task(name: str, items: int, folder: Path) -> str:
    """A harness task of the built-in set's first items; its name."""
    builtin = builtin_sets()[name]
    rows = folder / f"{name}.jsonl"
    lines = [
        {
            "context": builtin.as_continuation(sample).prompt,
            "choices": list(sample.choices),
            "gold": sample.correct_choice,
        }
        for sample in load_builtin(name).samples[:items]
    ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    task = {
        "task": f"workbench_{name}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(rows)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{context}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "gold",
        "target_delimiter": builtin.separator,
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }
    # JSON is YAML, too.
    (folder / f"{name}.yaml").write_text(json.dumps(task), "utf-8")
    return f"workbench_{name}"


@contextmanager
def server() -> Iterator[tuple[str, str]]:
    """A server of the embedded model; its base URL and a key."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = subprocess.run(
        [sys.executable, "-m", "workbench", "keys", "create", "--name", "parity", "--json"],
        capture_output=True,
        check=True,
        text=True,
    )
    key = str(json.loads(made.stdout)["key"])
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        yield f"http://127.0.0.1:{port}/openai/v1", key
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(url: str) -> None:
    """Returns when the default model answers. Raises: TimeoutError."""
    ends = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            # Not there yet, or 503 until the model is loaded.
            time.sleep(1)
    raise TimeoutError("the server did not become ready")


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(f"{line}\n")


def compare(ours: Sequence[HarnessItem], theirs: Sequence[HarnessItem]) -> bool:
    """Prints one line a task and metric; whether all agree."""
    other = {(item.task, item.id, item.metric): item for item in theirs}
    is_same = {item.task for item in ours} == {item.task for item in theirs}
    for task, metric in dict.fromkeys((item.task, item.metric) for item in ours):
        pairs = [
            (item, other[task, item.id, metric])
            for item in ours
            if (item.task, item.metric) == (task, metric)
        ]
        accuracy = [sum(item.value for item in side) / len(pairs) for side in zip(*pairs, strict=True)]
        gaps = [abs(a - b) for x, y in pairs for a, b in zip(x.logprobs, y.logprobs, strict=True)]
        flips = sum(x.value != y.value for x, y in pairs)
        is_same = is_same and flips == 0 and max(gaps) <= MOST_NATS
        say(
            f"{task:24} {metric:9} {len(pairs)} items: API {accuracy[0]:.4f}, in process {accuracy[1]:.4f}, "
            f"{flips} items differ; {len(gaps)} log-likelihoods, largest gap {max(gaps):.6f} nats"
        )
    return is_same


def main(arguments: Sequence[str]) -> int:
    """Runs both sides and compares them; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lm-eval-python", type=Path, help="python of an environment with lm-eval[api,hf]")
    parser.add_argument("--items", type=int, default=100, help="of each set")
    parser.add_argument("--concurrent", type=int, default=4, help="requests at once over the API")
    parser.add_argument("--batch-size", type=int, default=16, help="in process")
    parser.add_argument("--work", type=Path, help="keep everything here, and go on from what is there")
    options, _ = parser.parse_known_args(arguments)
    if options.lm_eval_python is None:
        say(f"Not run: lm-evaluation-harness lives in an environment of its own. {INSTALL_COMMAND}")
        return 0
    python = find_harness(options.lm_eval_python)
    weights = str(embedded_folder(EMBEDDED_FOLDER, read_settings().home))
    # No hub is asked: weights, tokenizer and data are all on this machine.
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) if options.work is None else options.work.resolve()
        work.mkdir(parents=True, exist_ok=True)
        tasks = tuple(write_task(name, options.items, work) for name in SETS)
        over_api, in_process = work / "api", work / "hf"
        if not any(over_api.rglob("samples_*.jsonl")):
            with server() as (base_url, key):
                args = completions_args(base_url, EMBEDDED_ID, weights, concurrent=options.concurrent)
                run_harness(HarnessRun(python, tasks, "local-completions", args, over_api, work, api_key=key))
        if not any(in_process.rglob("samples_*.jsonl")):
            hf_args: dict[str, str | int] = {"pretrained": weights, "dtype": "float32"}
            run_harness(
                HarnessRun(python, tasks, "hf", hf_args, in_process, work, batch_size=options.batch_size)
            )
        ours, theirs = read_items(over_api), read_items(in_process)
    return 0 if compare(ours, theirs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
