from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.timing import RequestClass, RequestTiming, Side
from evaluators.two_sides import two_sides
from workbench.core.call_times import CallTimes


def remote(way: float, server: CallTimes | None, outcome: RequestClass = RequestClass.OK) -> RequestTiming:
    """Timed by the client: first token `way` seconds later than 1 s, five tokens, 3 s in all."""
    return RequestTiming(10.0, 10.0, 13.0, outcome, first_token=11.0 + way, output_tokens=5, other=server)


def told(queue: float) -> CallTimes:
    return CallTimes.between(0.0, 2.75, admitted=queue, first_token=1.0, output_tokens=5)


def test_differences_are_of_requests_and_not_of_percentiles() -> None:
    found = two_sides([remote(0.5, told(0.25)), remote(0.1, told(0.75)), remote(0.3, told(0.5))])
    assert found is not None
    assert found.requests == 3
    assert (found.queue.p50, found.prefill.p50) == pytest.approx((500.0, 500.0))
    assert (found.ttft.server.p50, found.ttft.client.p50, found.ttft.difference.p50) == pytest.approx(
        (1000.0, 1300.0, 300.0)
    )
    assert found.tpot.server.p50 == pytest.approx(1.75 / 4 * 1000)
    assert found.end_to_end.difference.p50 == pytest.approx(250.0)


def test_requests_that_one_side_did_not_time_or_that_failed_are_not_joined() -> None:
    assert two_sides([remote(0.5, None), remote(0.5, told(0.25), RequestClass.FAILED)]) is None


def test_either_side_may_be_the_one_that_kept_the_moments() -> None:
    own = RequestTiming(
        10.0, 10.0, 13.0, RequestClass.OK, admitted=10.5, first_token=11.0, output_tokens=5, side=Side.SERVER,
        other=CallTimes.between(10.0, 13.0, first_token=11.25, output_tokens=5),
    )  # fmt: skip
    found = two_sides([own])
    assert found is not None
    assert (found.queue.p50, found.ttft.difference.p50) == pytest.approx((500.0, 250.0))
    assert two_sides([replace(own, other=None)]) is None
