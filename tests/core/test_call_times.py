from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pytest

from workbench.core.call_times import CallTimes

WHOLE = CallTimes.between(10.0, 15.5, admitted=11.0, first_token=13.5, output_tokens=5)


def test_the_parts_add_up_to_the_whole() -> None:
    assert CallTimes(1.0, 2.5, 3.5, 2.0, 0.5, 5.5) == WHOLE


def test_a_part_that_was_not_seen_is_none() -> None:
    assert CallTimes.between(10.0, 15.5) == CallTimes(end_to_end_seconds=5.5)
    unadmitted = CallTimes.between(10.0, 15.5, first_token=13.5)
    assert (unadmitted.queue_seconds, unadmitted.prefill_seconds) == (None, None)
    assert unadmitted.ttft_seconds == 3.5


@pytest.mark.parametrize("tokens", [0, 1])
def test_one_token_has_no_time_per_further_token(tokens: int) -> None:
    assert CallTimes.between(0.0, 2.0, first_token=1.0, output_tokens=tokens).tpot_seconds is None


def test_moments_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        CallTimes.between(10.0, 9.0)


def test_what_a_server_tells_is_read_back() -> None:
    assert CallTimes.told(asdict(WHOLE) | {"a_newer_field": 1}) == WHOLE


@pytest.mark.parametrize(
    "value",
    [None, "soon", [], {}, {"prompts": []}, {"ttft_seconds": None}, {"ttft_seconds": "soon"},
     {"ttft_seconds": -1.0}, {"ttft_seconds": math.inf}, {"ttft_seconds": math.nan}],
)  # fmt: skip
def test_what_cannot_be_is_not_told(value: Any) -> None:
    assert CallTimes.told(value) is None
