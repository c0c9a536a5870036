from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluators.timing import (
    Latency,
    Origin,
    RequestClass,
    RequestTiming,
    Side,
    classify,
    count_classes,
    from_frame,
    latencies_ms,
    to_frame,
)
from workbench.core.call_times import CallTimes
from workbench.core.chat import FinishReason


def timing(outcome: RequestClass = RequestClass.OK, start: float = 100.0) -> RequestTiming:
    """Due at 100.0, sent 0.25 s late, TTFT 500 ms, 100 tokens, last byte 2480 ms after sending."""
    sent = start + 0.25
    tokens = sent + 0.5 + np.arange(100) * 0.02
    return RequestTiming(
        scheduled=start, sent=sent, end=sent + 2.48, outcome=outcome, admitted=sent + 0.1,
        first_token=sent + 0.5, first_content_token=sent + 0.9, token_times=tuple(tokens.tolist()),
        prompt_tokens=7, output_tokens=100, guard_s=0.03,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (Latency.TTFT, 500.0),
        (Latency.CONTENT, 900.0),
        (Latency.TPOT, 20.0),
        (Latency.END_TO_END, 2480.0),
        (Latency.CLIENT_QUEUE, 250.0),
        (Latency.SERVER_QUEUE, 100.0),
        (Latency.GUARD, 30.0),
    ],
)
def test_latencies_by_their_definitions(latency: Latency, expected: float) -> None:
    assert timing().latency_ms(latency) == pytest.approx(expected)


def test_itl_is_each_gap_between_tokens() -> None:
    gaps = timing().gaps_ms()
    assert gaps.size == 99
    assert gaps == pytest.approx(20.0)


def test_open_loop_latency_counts_from_the_schedule() -> None:
    late = timing()
    assert late.latency_ms(Latency.TTFT, Origin.SCHEDULED) == pytest.approx(750.0)
    assert late.latency_ms(Latency.END_TO_END, Origin.SCHEDULED) == pytest.approx(2730.0)
    assert late.latency_ms(Latency.TPOT, Origin.SCHEDULED) == pytest.approx(20.0)


def test_tpot_of_one_token_is_undefined() -> None:
    one = replace(timing(), token_times=(100.75,), output_tokens=1)
    assert one.latency_ms(Latency.TPOT) is None
    assert one.gaps_ms().size == 0


def test_events_that_did_not_happen_give_no_latency() -> None:
    failed = RequestTiming(0.0, 0.0, 1.0, RequestClass.FAILED, error="overloaded")
    assert failed.latency_ms(Latency.TTFT) is None
    assert failed.latency_ms(Latency.SERVER_QUEUE) is None
    assert failed.latency_ms(Latency.GUARD) is None


@pytest.mark.parametrize("outcome", [RequestClass.TRUNCATED, RequestClass.BLOCKED, RequestClass.FAILED])
@pytest.mark.parametrize("latency", list(Latency))
def test_only_ok_requests_have_latencies(outcome: RequestClass, latency: Latency) -> None:
    assert latencies_ms([timing(outcome)], latency).size == 0
    assert latencies_ms([timing()], latency).size == (99 if latency is Latency.ITL else 1)
    assert latencies_ms([], latency).size == 0


def test_latencies_stand_in_the_order_of_sending() -> None:
    early, late = timing(start=0.0), replace(timing(start=10.0), first_token=10.3)
    assert latencies_ms([late, early], Latency.TTFT) == pytest.approx([500.0, 50.0])


@pytest.mark.parametrize(
    "change",
    [{"sent": 99.0}, {"first_token": 99.0}, {"end": 100.3}, {"first_content_token": 100.3}, {"admitted": 90.0},
     {"output_tokens": 99}, {"token_times": (101.0, 100.9)}],
)  # fmt: skip
def test_impossible_times_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"order|admitted|token times"):
        replace(timing(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("finish", "error", "is_length_fixed", "expected"),
    [
        (FinishReason.STOP, "", False, RequestClass.OK),
        (FinishReason.TOOL_CALLS, "", False, RequestClass.OK),
        (FinishReason.LENGTH, "", False, RequestClass.TRUNCATED),
        (FinishReason.LENGTH, "", True, RequestClass.OK),
        (FinishReason.CONTENT_FILTER, "", True, RequestClass.BLOCKED),
        (FinishReason.STOP, "overloaded", False, RequestClass.FAILED),
        (None, "", False, RequestClass.FAILED),
    ],
)
def test_classes(
    finish: FinishReason | None, error: str, is_length_fixed: bool, expected: RequestClass
) -> None:
    assert classify(finish, error=error, is_length_fixed=is_length_fixed) is expected


def test_every_class_is_counted_also_at_zero() -> None:
    counts = count_classes([timing(), timing(RequestClass.FAILED)])
    assert counts == {"ok": 1, "truncated": 0, "blocked": 0, "failed": 1}


def test_stored_rows_give_the_same_requests_back(tmp_path: Path) -> None:
    bare = RequestTiming(0.0, 0.0, 1.0, RequestClass.FAILED, error="overloaded", side=Side.SERVER)
    told = replace(timing(), other=CallTimes.between(0.0, 2.5, admitted=0.25, first_token=0.5))
    timings = (timing(), bare, told)
    frame = to_frame(timings)
    assert from_frame(frame) == timings
    frame.to_parquet(tmp_path / "requests.parquet")
    assert from_frame(pd.read_parquet(tmp_path / "requests.parquet")) == timings
    frame.to_json(tmp_path / "requests.jsonl", orient="records", lines=True, double_precision=15)
    again = from_frame(pd.read_json(tmp_path / "requests.jsonl", lines=True))
    assert [t.outcome for t in again] == [t.outcome for t in timings]
    assert again[0].latency_ms(Latency.TPOT) == pytest.approx(20.0)


def test_no_requests_store_as_no_rows() -> None:
    assert from_frame(to_frame([])) == ()
