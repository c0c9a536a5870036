"""Every number of a verdict follows from the stored rows, by formulas written out here once more."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from evaluators.data import builtin_sets
from tests.experiments.small import run_small, small_experiment
from workbench.experiments.record.folder import ExperimentFolder

Files = tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished experiment."""
    home = tmp_path_factory.mktemp("results")
    asyncio.run(run_small(small_experiment(home), ExperimentFolder(home / "run")))
    return home / "run"


@pytest.fixture(scope="module")
def files(home: Path) -> Files:
    """verdict.json, and the stored rows as the files have them."""
    folder = ExperimentFolder(home)
    verdict = json.loads(folder.verdict_path.read_text())
    samples = pd.read_json(folder.samples.path, lines=True)
    requests = pd.json_normalize([json.loads(line) for line in folder.requests.path.read_text().splitlines()])
    return verdict, samples, requests


def load_rows(requests: pd.DataFrame, candidate: str) -> pd.DataFrame:
    return requests[(requests.kind == "load") & (requests.candidate == candidate)]


def test_scores_are_means_with_wilsons_interval(files: Files) -> None:
    verdict, samples, _ = files
    checked = 0
    for entry in verdict["candidates"]:
        for probe, score in entry["scores"].items():
            rows = samples[(samples.candidate == entry["name"]) & (samples.probe == probe)]
            values = rows.value.dropna()
            if values.empty:
                assert score["value"] is None
                continue
            assert score["value"] == pytest.approx(values.mean())
            assert score["count"] == len(values)
            expected = binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
            assert score["interval"]["low"] == pytest.approx(expected.low)
            assert score["interval"]["high"] == pytest.approx(expected.high)
            checked += 1
    assert checked >= 4


def test_likelihood_scores_follow_from_the_stored_likelihoods(files: Files) -> None:
    _, samples, requests = files
    judged = 0
    for row in samples[samples.probe == "common-sense"].to_dict(orient="records"):
        own = requests[requests.id.str.startswith(f"{row['id']}/")].sort_values("choice")
        logprobs: list[float] = own["likelihood.logprob"].to_list()
        assert logprobs == [found["logprob"] for found in row["likelihoods"]]
        choices: list[str] = row["choices"]
        per_byte = [v / len(c.encode()) for v, c in zip(logprobs, choices, strict=True)]
        best = int(np.argmax(per_byte))
        if per_byte.count(per_byte[best]) == 1:
            assert row["value"] == float(choices[best] in row["expected"])
            judged += 1
    assert judged > 12


def test_latencies_count_from_the_schedule(files: Files) -> None:
    verdict, _, requests = files
    for entry in verdict["candidates"]:
        rows = load_rows(requests, entry["name"])
        table = entry["load"]["latencies_ms"]
        first = (rows["timing.first_token"] - rows["timing.scheduled"]) * 1000
        whole = (rows["timing.end"] - rows["timing.scheduled"]) * 1000
        per_token = (
            (rows["timing.end"] - rows["timing.first_token"]) / (rows["timing.output_tokens"] - 1) * 1000
        )
        for name, values in (("ttft_ms", first), ("end_to_end_ms", whole), ("tpot_ms", per_token)):
            assert table[name]["count"] == len(values)
            for percent in (50, 90, 95, 99):
                assert table[name][f"p{percent}"] == pytest.approx(np.percentile(values, percent))


def test_throughput_and_cost_are_over_the_wall_time(files: Files) -> None:
    verdict, _, requests = files
    for entry in verdict["candidates"]:
        rows = load_rows(requests, entry["name"])
        seconds = rows["timing.end"].max() - rows["timing.scheduled"].min()
        speed = rows["timing.output_tokens"].sum() / seconds
        assert entry["load"]["output_tokens_per_second"]["value"] == pytest.approx(speed)
        assert entry["load"]["cost_per_million_tokens"]["value"] == pytest.approx(1e6 / (3600 * speed))
        assert entry["load"]["requests"]["ok"] == len(rows)


def test_rulings_follow_from_value_interval_and_limit(files: Files) -> None:
    verdict, _, _ = files
    seen = set()
    for entry in verdict["candidates"]:
        for ruling in entry["rulings"]:
            seen.add(ruling["requirement"])
            if ruling["value"] is None:
                assert ruling["outcome"] == "not_enough_data"
                continue
            sign = 1 if ruling["bound"] == "at_least" else -1
            assert ruling["margin"] == pytest.approx(sign * (ruling["value"] - ruling["limit"]))
            low, high = ruling["interval"]["low"], ruling["interval"]["high"]
            low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
            worst, best = (low, high) if sign == 1 else (high, low)
            if sign * (best - ruling["limit"]) < 0:
                assert ruling["outcome"] == "fail"
            elif sign * (worst - ruling["limit"]) < 0:
                assert ruling["outcome"] == "not_enough_data"
            else:
                assert ruling["outcome"] in ("pass", "not_enough_data")
    assert len(seen) == 6


def test_differences_are_paired_by_item(files: Files) -> None:
    verdict, samples, _ = files
    assert len(verdict["differences"]) >= 2
    for difference in verdict["differences"]:
        rows = samples[samples.probe == difference["probe"]]
        table = rows.pivot_table(index="sample", columns="candidate", values="value").dropna()
        pairs = table[difference["first"]] - table[difference["second"]]
        assert difference["value"] == pytest.approx(pairs.mean())
        assert difference["count"] == len(pairs)
        assert difference["flipped"] == int((pairs != 0).sum())


def test_the_manifest_says_who_was_asked_what(home: Path) -> None:
    manifest = json.loads((home / "manifest.json").read_text())
    assert manifest["probes"]["common-sense"]["items"] == 12
    assert manifest["probes"]["common-sense"]["source"] == builtin_sets()["piqa"].source
    assert len(manifest["probes"]["own"]["data_sha256"]) == 64
    assert manifest["candidates"]["one"]["fingerprint"] == "scripted-1"
    assert {"answer", "load"} <= manifest["candidates"]["one"]["applied"].keys()
    assert manifest["experiment"]["candidates"][0]["label"] == "one"


def test_tables_hold_the_same_rows_and_no_text(home: Path, files: Files) -> None:
    _, samples, requests = files
    for name, rows in (("scores", samples), ("requests", requests)):
        table = pd.read_parquet(home / f"{name}.parquet")
        assert len(table) == len(pd.read_csv(home / f"{name}.csv")) == len(rows)
        assert not {"prompt", "choices", "answer", "expected"} & set(table.columns)
