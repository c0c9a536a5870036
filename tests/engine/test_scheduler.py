"""Admission to rows, chunk sizes and closing gaps: plain logic, no model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.effective import EffectiveParams
from workbench.engine.requests import EngineRequest
from workbench.engine.sampler import RowSampling
from workbench.engine.scheduler import Move, Pace, Scheduler
from workbench.engine.sequence import Job, Sequence
from workbench.engine.text import StopScanner


def sequence(length: int = 4, places: int | None = None, scope: str = "scope") -> Sequence:
    params = EffectiveParams(temperature=0.0, max_tokens=8, seed=1)
    request = EngineRequest((0,) * length, params, scope, places=None if places is None else lambda: places)
    return Sequence(
        job=Job(request, lambda events: None), choice=0, sampling=RowSampling(params, 0, ()), text=None,  # type: ignore[arg-type]
        stops=StopScanner(()), eos_ids=frozenset(), ids=[0] * length, prompt_length=length,
    )  # fmt: skip


def roomy(rows: int, length: int) -> bool:
    return True


def test_nobody_is_let_in_beyond_the_rows() -> None:
    scheduler = Scheduler(roomy, max_rows=2)
    scheduler.waiting.extend(sequence() for _ in range(3))
    for _ in range(3):
        if (taken := scheduler.next_to_prefill()) is not None:
            scheduler.prefilling = None
            scheduler.active.append(taken)
    assert scheduler.rows_in_use == 2
    assert len(scheduler.waiting) == 1


def test_a_call_at_its_places_lets_others_pass() -> None:
    scheduler = Scheduler(roomy, max_rows=4)
    bounded, other = sequence(places=1), sequence()
    bounded.job.running = 1
    scheduler.waiting.extend([bounded, other])
    assert scheduler.next_to_prefill() is other


def test_one_callers_burst_does_not_hold_up_anothers_single_request() -> None:
    scheduler = Scheduler(roomy, max_rows=8)
    scheduler.active = [sequence(scope="busy") for _ in range(3)]
    burst, newcomer = [sequence(scope="busy") for _ in range(4)], sequence(scope="new")
    scheduler.waiting.extend([*burst, newcomer])
    assert scheduler.next_to_prefill() is newcomer
    scheduler.active.append(newcomer)
    scheduler.prefilling = None
    assert scheduler.next_to_prefill() is burst[0]


def test_who_was_paused_goes_on_before_anybody_new() -> None:
    scheduler = Scheduler(roomy, max_rows=8)
    scheduler.active = [sequence(scope="busy")]
    paused, newcomer = sequence(scope="busy"), sequence(scope="new")
    paused.ids.append(7)
    scheduler.waiting.extend([newcomer, paused])
    assert scheduler.next_to_prefill() is paused


def test_a_lone_sequence_that_fits_only_barely_is_let_in() -> None:
    scheduler = Scheduler(lambda rows, length: rows * length <= 10, max_rows=4)
    scheduler.waiting.append(sequence(9))
    assert scheduler.next_to_prefill() is not None


def test_alone_a_prompt_is_read_in_long_chunks_and_beside_others_in_short_ones() -> None:
    scheduler = Scheduler(roomy, max_rows=16, idle_chunk=512, least_chunk=16)
    scheduler.pace = Pace(step_seconds=0.08, prefill_seconds=0.2, prefill_tokens=100)
    assert scheduler.chunk() == 512
    scheduler.active = [sequence() for _ in range(8)]
    assert scheduler.chunk() == 32
    scheduler.active = scheduler.active[:1]
    scheduler.waiting.extend(sequence() for _ in range(7))
    assert scheduler.chunk() == 280
    scheduler.waiting.extend(sequence() for _ in range(7))
    assert scheduler.chunk() == 320


def test_a_step_reads_for_its_share_of_time_whatever_the_pieces_cost() -> None:
    scheduler = Scheduler(roomy, max_rows=16, idle_chunk=512, least_chunk=16)
    scheduler.pace = Pace(step_seconds=0.08, prefill_seconds=0.2, prefill_tokens=100)
    scheduler.active = [sequence() for _ in range(8)]
    assert scheduler.chunk(0.02) == 22
    assert scheduler.chunk(0.06) == 16
    assert scheduler.chunk(0.07) == 0
    scheduler.active = []
    assert scheduler.chunk(0.01) == 0


def test_short_pieces_hardly_change_what_a_token_of_a_prompt_costs() -> None:
    pace = Pace()
    for _ in range(20):
        pace.saw_prefill(0.4, 200)
        pace.saw_prefill(0.05, 1)
    assert pace.prefill_seconds_per_token == pytest.approx(0.45 / 201, rel=0.1)


def test_the_youngest_is_paused_first() -> None:
    scheduler = Scheduler(lambda rows, length: rows <= 2, max_rows=8)
    old, middle, young = sequence(), sequence(), sequence()
    scheduler.active = [young, old, middle]
    assert scheduler.pause_for_growth() == [Move(2, 0, 0)]
    assert scheduler.active == [middle, old]
    assert list(scheduler.waiting) == [young]


@settings(max_examples=200, deadline=None)
@given(leaving=st.lists(st.integers(0, 5), min_size=1, max_size=6), prefilling=st.booleans())
def test_moves_keep_every_row_with_its_own_sequence(leaving: list[int], prefilling: bool) -> None:
    scheduler = Scheduler(roomy, max_rows=8)
    everyone = [sequence() for _ in range(6)]
    scheduler.active = list(everyone)
    scheduler.prefilling = sequence() if prefilling else None
    rows: dict[int, Sequence] = dict(enumerate(everyone))
    if scheduler.prefilling is not None:
        rows[6] = scheduler.prefilling
    for index in dict.fromkeys(leaving):
        for move in scheduler.leave(everyone[index]):
            rows[move.target] = rows[move.source]
        assert [rows[place] for place in range(len(scheduler.active))] == scheduler.active
        if scheduler.prefilling is not None:
            assert rows[len(scheduler.active)] is scheduler.prefilling
