"""Numbers of judges, guards, dated questions and means follow from the stored rows, by formulas written out here."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tests.experiments.small import JUDGE, longer_answer, run_small, small_experiment
from tests.sites import MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ChatPrompt, GenerationRequest
from workbench.experiments.record.folder import ExperimentFolder

PROBES = [
    {"name": "translation", "data": "translation", "evaluator": "chrf", "limit": 14},
    {"name": "lengths", "data": "generation", "evaluator": "length", "limit": 14},
    {"name": "refused", "data": "over-refusal", "evaluator": "over_refusal", "limit": 14},
    {"name": "dated", "data": "cutoff", "evaluator": "multiple_choice"},
    {"name": "new-lines", "data": "memorization", "evaluator": "pair_margin", "tags": ["fresh"]},
    {
        "name": "famous",
        "data": "memorization",
        "evaluator": "pair_margin",
        "tags": ["classic"],
        "baseline": "new-lines",
    },
]


def answer(request: GenerationRequest) -> Script:
    """Answers whose length and tone change from item to item, and a judge that goes by length."""
    if not isinstance(request.prompt, ChatPrompt):
        return Script()
    text = request.prompt.messages[-1].content
    if "[Answer B]" in text:
        return longer_answer(text)
    words = 1 + len(text) % (5 if request.model == MODEL else 9)
    return Script("I cannot help with that." if len(text) % 3 == 0 else "Die Bibliothek " * words)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("recomputed")
    experiment = small_experiment(
        home,
        probes=PROBES,
        load=None,
        judge={"model": JUDGE, "pairwise": ["lengths"]},
        requirements={"over_refusal_rate": 0.5, "quality": {"translation": 0.2, "lengths": {"at_most": 9}}},
    )
    asyncio.run(run_small(experiment, ExperimentFolder(home / "run"), ScriptedBackend(answer=answer)))
    return home / "run"


@pytest.fixture(scope="module")
def verdict(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "verdict.json").read_text())
    return found


def values_of(samples: pd.DataFrame, candidate: str, probe: str) -> pd.Series:
    return samples[(samples.candidate == candidate) & (samples.probe == probe)].value.dropna()


def test_every_score_is_the_mean_of_its_rows_within_its_interval(
    verdict: dict[str, Any], samples: pd.DataFrame
) -> None:
    checked = 0
    for entry in verdict["candidates"]:
        for probe, score in entry["scores"].items():
            values = values_of(samples, entry["name"], probe)
            assert score["value"] == pytest.approx(values.mean())
            assert score["count"] == len(values)
            if score["interval"] is not None:
                assert score["interval"]["low"] <= values.mean() <= score["interval"]["high"]
            checked += 1
    assert checked == 2 * len(PROBES)


def test_rulings_repeat_the_scores_that_they_rule_on(verdict: dict[str, Any], samples: pd.DataFrame) -> None:
    probe_of = {
        "over_refusal_rate": "refused",
        "quality: translation": "translation",
        "quality: lengths": "lengths",
    }
    for entry in verdict["candidates"]:
        assert {ruling["requirement"] for ruling in entry["rulings"]} == set(probe_of)
        for ruling in entry["rulings"]:
            values = values_of(samples, entry["name"], probe_of[ruling["requirement"]])
            assert ruling["value"] == pytest.approx(values.mean())
            assert ruling["count"] == len(values)


def test_the_over_refusal_rate_has_wilsons_interval(verdict: dict[str, Any], samples: pd.DataFrame) -> None:
    for entry in verdict["candidates"]:
        values = values_of(samples, entry["name"], "refused")
        expected = binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
        ruling = next(r for r in entry["rulings"] if r["requirement"] == "over_refusal_rate")
        assert ruling["interval"]["low"] == pytest.approx(expected.low)
        assert ruling["interval"]["high"] == pytest.approx(expected.high)


def test_ratings_follow_from_the_judges_words(home: Path, verdict: dict[str, Any]) -> None:
    rows = [json.loads(line) for line in (home / "judgements.jsonl").read_text().splitlines()]
    sides = [(row["forward"][-1], row["backward"][-1]) for row in rows]
    wins = {"one": sides.count(("A", "B")), "two": sides.count(("B", "A"))}
    judged = verdict["judged"][0]
    assert judged["pairs"] == len(rows)
    assert judged["flipped"] == len(rows) - sum(wins.values())
    ratings = {entry["candidate"]: entry["rating"]["value"] for entry in judged["ratings"]}
    # One made-up tie a pair that met, 400 points for odds of ten to one.
    expected = 400 * math.log10((wins["two"] + 0.5) / (wins["one"] + 0.5))
    assert ratings["two"] - ratings["one"] == pytest.approx(expected)
    decided = [row for row, side in zip(rows, sides, strict=True) if side in (("A", "B"), ("B", "A"))]
    longer = [
        (row["first_words"] > row["second_words"]) == (row["forward"][-1] == "A")
        for row in decided
        if row["first_words"] != row["second_words"]
    ]
    assert judged["longer_won"]["value"] == pytest.approx(np.mean(longer))


def test_contrasts_between_different_items_are_differences_of_means(
    verdict: dict[str, Any], samples: pd.DataFrame
) -> None:
    assert len(verdict["contrasts"]) == 2
    for made in verdict["contrasts"]:
        famous = values_of(samples, made["candidate"], "famous")
        fresh = values_of(samples, made["candidate"], "new-lines")
        assert made["value"] == pytest.approx(famous.mean() - fresh.mean())
        assert made["count"] == len(famous) + len(fresh)


def test_the_cut_off_is_the_likeliest_step(
    home: Path, verdict: dict[str, Any], samples: pd.DataFrame
) -> None:
    items = [json.loads(line) for line in (home / "data" / "dated.jsonl").read_text().splitlines()]
    date = {item["id"]: item["metadata"]["date"] for item in items}
    for found in verdict["known_until"]:
        rows = samples[(samples.candidate == found["candidate"]) & (samples.probe == "dated")].dropna(
            subset=["value"]
        )
        months = rows["sample"].map(date)
        right = rows.value == 1.0

        def likelihood(last: str, months: pd.Series = months, right: pd.Series = right) -> float:
            before = months <= last
            share = min(max(float(right[before].mean()) if before.any() else 0.25, 0.25), 1 - 1e-12)
            after = np.where(right[~before], math.log(0.25), math.log(0.75)).sum()
            return float(np.where(right[before], math.log(share), math.log(1 - share)).sum() + after)

        best = max(sorted(set(months)), key=likelihood)
        is_shown = likelihood(best) - likelihood("") >= 3.0
        assert found["last"] == (best if is_shown else None)
        assert found["count"] == len(rows)
