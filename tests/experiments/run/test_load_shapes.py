"""Every shape of load ends in rows, and the numbers follow from the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluators.load import Spacing
from tests.experiments.small import run_small, small_experiment
from tests.sites import OTHER_MODEL
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import GenerationRequest
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import PhaseKind, RequestKind
from workbench.experiments.results.outcome import Results
from workbench.experiments.spec.load import LoadShape, LoadSpec

SWEEP = {"rate": "60/s", "duration": "0.4s", "sweep_to": "200/s", "refinements": 1, "output_tokens": 2}


async def loaded(home: Path, load: dict[str, Any], **changes: Any) -> tuple[ExperimentFolder, Results]:
    folder = ExperimentFolder(home / "run")
    table = {"load": load, "probes": [], "requirements": {"ttft_p95_ms": 400}, **changes}
    return folder, await run_small(small_experiment(home, **table), folder)


def verdict_of(folder: ExperimentFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(folder.verdict_path.read_text())
    return found


@pytest.mark.parametrize(
    ("fields", "shape", "words"),
    [
        ({}, LoadShape.CONSTANT, "90/min for 60 s"),
        ({"rate": "10/min", "peak": "50/min"}, LoadShape.BURST, "peaks of 50/min"),
        ({"ramp_to": "5/s"}, LoadShape.RAMP, "rising from 90/min to 5/s"),
        ({"sweep_to": "12/s"}, LoadShape.SWEEP, "levels of 60 s from 90/min up to 12/s"),
        ({"concurrency": 3}, LoadShape.CLOSED, "3 requests at a time"),
    ],
)
def test_a_load_has_one_shape(fields: dict[str, Any], shape: LoadShape, words: str) -> None:
    load = LoadSpec(**fields)
    assert load.shape is shape
    assert words in load.sentence


def test_even_requests_stand_at_one_distance_and_random_ones_do_not() -> None:
    due = LoadSpec(rate="2/s", duration="3s", spacing=Spacing.EVEN).due(0)
    assert due == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    assert len(set(np.diff(LoadSpec(rate="2/s", duration="30s").due(0)).tolist())) > 10


def test_a_sweep_doubles_up_to_its_end() -> None:
    assert LoadSpec(rate="1/s", sweep_to="5/s").levels == (1.0, 2.0, 4.0, 5.0)


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"peak": "200/min", "ramp_to": "3/s"}, "one shape"),
        ({"rate": "2/s", "sweep_to": "1/s"}, "above the rate"),
        ({"rate": "1/min", "sweep_to": "1/s"}, "needs time for 20 requests"),
    ],
)
def test_impossible_loads_are_refused(tmp_path: Path, load: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        small_experiment(tmp_path, load=load)


async def test_a_sweeps_levels_follow_from_the_rows(tmp_path: Path) -> None:
    folder, results = await loaded(tmp_path, SWEEP)
    requests = pd.json_normalize([json.loads(line) for line in folder.requests.path.read_text().splitlines()])
    phases = [row for row in folder.phases.read() if row.kind is PhaseKind.LOAD]
    for entry in verdict_of(folder)["candidates"]:
        levels = entry["load"]["levels"]
        own = sorted((p for p in phases if p.candidate == entry["name"]), key=lambda p: p.asked_rate or 0.0)
        assert 60.0 in [phase.asked_rate for phase in own]
        for level, phase in zip(levels, own, strict=True):
            assert level["offered_per_minute"] == pytest.approx((phase.asked_rate or 0.0) * 60)
            rows = requests[(requests.kind == "load") & (requests.run == phase.run)]
            first = (rows["timing.first_token"] - rows["timing.scheduled"]) * 1000
            assert level["latencies_ms"]["ttft_ms"]["p95"] == pytest.approx(first.quantile(0.95))
            assert level["requests"]["ok"] == len(rows)
            span = rows["timing.end"].max() - rows["timing.scheduled"].min()
            speed = rows["timing.output_tokens"].sum() / span
            assert level["output_tokens_per_second"]["value"] == pytest.approx(speed)
    asked = results.loads[0]
    assert asked.level.offered_rate == 60
    assert asked.requests == sum(len(level.timings) for level in asked.levels)


async def test_a_finished_level_of_a_sweep_is_not_run_again(tmp_path: Path) -> None:
    folder, _ = await loaded(tmp_path, SWEEP, requirements={})
    lines = folder.phases.path.read_text().splitlines(keepends=True)
    kept = [
        line for line in lines if json.loads(line)["kind"] == "load" and json.loads(line)["asked_rate"] < 150
    ]
    folder.phases.path.write_text("".join(kept))
    before = [row.id for row in folder.requests.read() if row.kind is RequestKind.LOAD]
    await loaded(tmp_path, SWEEP, requirements={})
    after = [row for row in folder.requests.read() if row.kind is RequestKind.LOAD]
    rates = {row.run: row.asked_rate for row in folder.phases.read() if row.kind is PhaseKind.LOAD}
    assert {rates[row.run] for row in after if row.id not in before} == {200.0}
    assert sum(row.kind is PhaseKind.SWEEP for row in folder.phases.read()) == 2


async def test_a_contended_sweep_loads_all_at_the_same_time_and_stops_when_one_has_enough(
    tmp_path: Path,
) -> None:
    def answer(request: GenerationRequest) -> Script:
        # Half a second to the second token: beyond the limit of 400 ms a token for this candidate alone.
        return Script(token_seconds=0.5 if request.model == OTHER_MODEL else 0.0)

    folder = ExperimentFolder(tmp_path / "run")
    table = {"load": SWEEP, "probes": [], "requirements": {"tpot_p95_ms": 400}, "mode": "contended"}
    results = await run_small(small_experiment(tmp_path, **table), folder, ScriptedBackend(answer=answer))
    quick, slow = results.loads
    assert slow.saturation.sustained is None
    assert slow.saturation.overloaded is not None
    # Nobody asked the quick one for more than the slow one could be asked: that is what together means.
    assert [level.phase.asked_rate for level in quick.levels] == [
        level.phase.asked_rate for level in slow.levels
    ]
    assert {level.phase.together_with for level in quick.levels} == {("two",)}
    assert quick.saturation.overloaded is None
    assert not any(verdict.is_isolated for verdict in results.verdicts)
    modes = {
        row["is_isolated"] for entry in verdict_of(folder)["candidates"] for row in entry["load"]["levels"]
    }
    assert modes == {False}
    backend = ScriptedBackend()
    await run_small(small_experiment(tmp_path, **table), folder, backend)
    assert backend.calls == []


async def test_a_contended_level_that_one_candidate_did_not_finish_is_run_again_for_all(
    tmp_path: Path,
) -> None:
    folder, _ = await loaded(tmp_path, SWEEP, mode="contended", requirements={})
    lines = folder.phases.path.read_text().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    kept = [
        line
        for line, row in zip(lines, rows, strict=True)
        if row["kind"] == "load" and not (row["candidate"] == "two" and row["asked_rate"] > 150)
    ]
    folder.phases.path.write_text("".join(kept))
    before = {row.run for row in folder.requests.read()}
    await loaded(tmp_path, SWEEP, mode="contended", requirements={})
    fresh = {row.run for row in folder.requests.read() if row.kind is RequestKind.LOAD} - before
    again = [row for row in folder.phases.read() if row.run in fresh]
    assert sorted((row.candidate, row.asked_rate) for row in again) == [("one", 200.0), ("two", 200.0)]


async def test_a_finished_sweep_asks_nothing_again(tmp_path: Path) -> None:
    folder, _ = await loaded(tmp_path, SWEEP)
    backend = ScriptedBackend()
    table = {"load": SWEEP, "probes": [], "requirements": {"ttft_p95_ms": 400}}
    await run_small(small_experiment(tmp_path, **table), folder, backend)
    assert backend.calls == []


async def test_a_closed_loop_counts_from_the_sending_and_proves_no_rate(tmp_path: Path) -> None:
    load = {"concurrency": 3, "duration": "0.3s", "output_tokens": 2}
    folder, _ = await loaded(tmp_path, load, requirements={"requests_per_minute": 1})
    for entry in verdict_of(folder)["candidates"]:
        assert entry["load"]["latencies_from"] == "sent"
        assert entry["load"]["state"] == "unclear"
        assert entry["rulings"][0]["outcome"] == "not_enough_data"
    assert {row.concurrency for row in folder.phases.read()} == {3}


async def test_a_ramp_is_reported_with_its_words(tmp_path: Path) -> None:
    load = {"rate": "20/s", "ramp_to": "120/s", "duration": "0.6s", "output_tokens": 2}
    folder, _ = await loaded(tmp_path, load)
    assert "rising from 20/s to 120/s" in folder.report_path.read_text().lower()


async def test_the_same_questions_under_load_show_which_answers_changed(tmp_path: Path) -> None:
    asked: dict[str, int] = {}

    def answer(request: Any) -> Script:
        text = request.prompt.messages[-1].content
        key = f"{request.model}/{text}"
        asked[key] = asked.get(key, 0) + 1
        # Asked first for the probe, then alone, then N and 2 N at a time.
        is_last = asked[key] == 4
        return Script("Neither of them" if is_last and "hello" in text else text.removeprefix("Say ").title())

    folder = ExperimentFolder(tmp_path / "run")
    own = {"name": "own", "data": str(tmp_path / "own.jsonl"), "evaluator": "contains"}
    experiment = small_experiment(
        tmp_path, probes=[own], load=None, requirements={}, under_load={"probe": "own", "concurrency": 2}
    )
    results = await run_small(experiment, folder, ScriptedBackend(answer=answer))
    found = {(s.candidate, s.concurrency): s.flips for s in results.stability}
    assert found["one", 1] is None
    at_n, at_2n = found["one", 2], found["one", 4]
    assert at_n is not None
    assert at_n.answers is not None
    assert at_n.answers.value == 0.0
    assert at_2n is not None
    assert at_2n.answers is not None
    assert at_2n.answers.value == 0.5
    assert at_2n.scores is not None
    assert at_2n.scores.difference.value == -0.5
    stored = folder.under_load.path.read_text() + folder.requests.path.read_text()
    assert "Neither" not in stored
    entry = verdict_of(folder)["quality_under_load"]
    assert [row["concurrency"] for row in entry] == [1, 2, 4, 1, 2, 4]
    assert "Quality under load" in folder.report_path.read_text()
    again = ScriptedBackend()
    await run_small(experiment, folder, again)
    assert again.calls == []
