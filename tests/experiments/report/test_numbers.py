"""The report's tables say what the stored rows come to: each cell is worked out here from the rows once more."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import binomtest

from tests.experiments.report.tables import ReportTables, number, shown
from tests.experiments.small import run_small, small_experiment
from tests.sites import MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import GenerationRequest
from workbench.experiments.record.folder import ExperimentFolder

NAMES = ("one", "two")
LIMITS = {
    "ttft_p95_ms": 1000,
    "tpot_p95_ms": 1000,
    "requests_per_minute": 60,
    "quality": {"common-sense": 0.5},
}
TITLES = {"Physical common sense": "common-sense", "own": "own"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("numbers")

    def answer(request: GenerationRequest) -> Script:
        return Script(
            "Hello there, friend" if request.model == MODEL else "No idea at all", token_seconds=0.002
        )

    asked = small_experiment(
        home,
        probes=[
            {"name": "common-sense", "data": "piqa", "evaluator": "multiple_choice", "limit": 12},
            {"name": "own", "data": str(home / "own.jsonl"), "evaluator": "contains"},
        ],
        load={"rate": "50/s", "duration": "2s", "output_tokens": 3},
        requirements=LIMITS,
        machine_price_per_hour=2.5,
    )
    asyncio.run(run_small(asked, ExperimentFolder(home / "run"), ScriptedBackend(answer=answer)))
    return home / "run"


@pytest.fixture(scope="module")
def loads(home: Path) -> dict[str, pd.DataFrame]:
    rows = pd.json_normalize(
        [json.loads(line) for line in (home / "requests.jsonl").read_text().splitlines()]
    )
    return {name: rows[(rows.kind == "load") & (rows.candidate == name)] for name in NAMES}


def values_of(samples: pd.DataFrame, probe: str, name: str) -> pd.Series:
    return samples[(samples.probe == probe) & (samples.candidate == name)].value.dropna()


def latencies(rows: pd.DataFrame) -> dict[str, pd.Series]:
    first = (rows["timing.first_token"] - rows["timing.scheduled"]) * 1000
    whole = (rows["timing.end"] - rows["timing.scheduled"]) * 1000
    token = (rows["timing.end"] - rows["timing.first_token"]) / (rows["timing.output_tokens"] - 1) * 1000
    return {"First token": first, "Per token": token, "Whole answer": whole}


def speed(rows: pd.DataFrame) -> float:
    """Output tokens a second of the whole stretch."""
    span = rows["timing.end"].max() - rows["timing.scheduled"].min()
    return float(rows["timing.output_tokens"].sum() / span)


def test_every_table_of_the_page_is_checked_here(report: ReportTables) -> None:
    checked = {"Requirements", "Quality", "Does the choice make a difference?", "Under load", "Deployment"}
    assert set(report.tables) == {*checked, "Server and client side by side"}


def test_quality_is_mean_wilson_interval_and_count(report: ReportTables, samples: pd.DataFrame) -> None:
    rows = report.tables["Quality"][1:]
    assert {row[0][0] for row in rows} == set(TITLES)
    for row in rows:
        for name, cell in zip(NAMES, row[1:3], strict=True):
            values = values_of(samples, TITLES[row[0][0]], name)
            if values.empty:
                assert cell[0] == "–"
                continue
            low, high = binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
            assert cell[0] == f"{100 * values.mean():.0f} % ({100 * low:.0f} % to {100 * high:.0f} %)"
            assert cell[1].startswith(f"{len(values)} items")


def test_differences_are_of_the_same_items(report: ReportTables, samples: pd.DataFrame) -> None:
    rows = report.tables["Does the choice make a difference?"][1:]
    assert rows
    for row in rows:
        table = samples[samples.probe == TITLES[row[0][0]]].pivot_table(
            index="sample", columns="candidate", values="value"
        )
        pairs = (table["one"] - table["two"]).dropna()
        assert number(row[2][0]) == pytest.approx(100 * pairs.mean(), abs=0.51)
        assert row[4][1].startswith(f"{int((pairs != 0).sum())} of {len(pairs)} items differ")


def test_load_is_percentiles_throughput_goodput_and_cost(
    report: ReportTables, loads: dict[str, pd.DataFrame]
) -> None:
    rows = report.tables["Under load"][1:]
    assert [row[0][0] for row in rows] == list(NAMES)
    for row in rows:
        own = loads[row[0][0]]
        assert row[2][0] == f"{len(own)} ok"
        found = latencies(own)
        good = ((found["First token"] <= 1000) & (found["Per token"] <= 1000)).sum()
        span = own["timing.end"].max() - own["timing.scheduled"].min()
        assert shown(row[3][0], 60 * good / span)
        for cell, values in zip(row[4:7], found.values(), strict=True):
            assert shown(cell[0], values.quantile(0.5))
            assert shown(cell[1].removeprefix("p95 "), values.quantile(0.95))
        assert shown(row[7][0], speed(own))
        assert shown(row[8][0], 2.5 / (3600 * speed(own)) * 1e6)


def test_both_sides_are_joined_request_by_request(
    report: ReportTables, loads: dict[str, pd.DataFrame]
) -> None:
    rows = report.tables["Server and client side by side"][1:]
    assert [row[0][0] for row in rows] == list(NAMES)
    for row in rows:
        own = loads[row[0][0]]
        sent, first = own["timing.sent"], own["timing.first_token"]
        token = (own["timing.end"] - first) / (own["timing.output_tokens"] - 1)
        seen, seen_token = own["timing.other.ttft_seconds"], own["timing.other.tpot_seconds"]
        expected = [
            own["timing.admitted"] - sent, first - own["timing.admitted"],
            first - sent, seen, seen - (first - sent),
            token, seen_token, seen_token - token,
        ]  # fmt: skip
        assert row[2][0] == f"{len(own)} requests"
        for cell, seconds in zip(row[3:], expected, strict=True):
            # A difference may be next to nothing, and is told with two digits then.
            for text, share in ((cell[0], 0.5), (cell[1].removeprefix("p95 "), 0.95)):
                assert number(text) == pytest.approx(1000 * seconds.quantile(share), rel=0.006, abs=5e-4)


def test_requirements_repeat_value_margin_and_count(
    home: Path, report: ReportTables, samples: pd.DataFrame, loads: dict[str, pd.DataFrame]
) -> None:
    verdict: dict[str, Any] = json.loads((home / "verdict.json").read_text())
    rows = {row[0][0].partition(":")[0]: row[1:] for row in report.tables["Requirements"][1:]}
    assert len(rows) == 4
    for name, first, token, quality in zip(
        NAMES,
        rows["Time to first token, 95th percentile"],
        rows["Time per output token, 95th percentile"],
        rows["Physical common sense"],
        strict=True,
    ):
        own, values = latencies(loads[name]), values_of(samples, "common-sense", name)
        for cell, kind in ((first, "First token"), (token, "Per token")):
            p95 = own[kind].quantile(0.95)
            assert shown(cell[1], p95)
            assert f"{len(own[kind])} requests" in cell[-1]
            assert number(cell[-1].removeprefix("margin ")) == pytest.approx(1000 - p95, rel=0.006)
        assert shown(quality[1], 100 * values.mean())
        assert f"{len(values)} items" in quality[-1]
        entry = next(entry for entry in verdict["candidates"] if entry["name"] == name)
        words = {"pass": "pass", "fail": "fail", "not_enough_data": "not enough data"}
        outcomes = [words[ruling["outcome"]] for ruling in entry["rulings"]]
        assert [cells[NAMES.index(name)][0] for cells in rows.values()] == outcomes


def test_the_plan_and_the_cards_repeat_the_load(report: ReportTables, loads: dict[str, pd.DataFrame]) -> None:
    plans = [
        row
        for row in report.tables["Deployment"]
        if row[0][0] in ("Best performance", "Lowest cost", "Best value")
    ]
    facts = dict(zip(report.facts[::2], report.facts[1::2], strict=True))
    assert {"First token, p95", "Output tokens a second"} <= set(facts)
    last = loads[NAMES[-1]]
    assert shown(facts["First token, p95"], latencies(last)["First token"].quantile(0.95))
    assert shown(facts["Output tokens a second"], speed(last))
    for row in plans:
        own = loads[row[1][0]]
        assert int(row[2][0]) == math.ceil(50 / (len(own) / 2))
        assert shown(row[3][0], latencies(own)["First token"].quantile(0.95))
        assert shown(row[4][0], speed(own))
        assert shown(row[5][0], 2.5 / (3600 * speed(own)) * 1e6)
