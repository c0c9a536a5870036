from __future__ import annotations

import pytest

from workbench.backends.circuit import (
    FAILURES_TO_OPEN,
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    Circuit,
)
from workbench.core.errors import Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(clock)


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        circuit.enter()
        circuit.failed()


def test_it_opens_after_failures_in_a_row_and_says_how_long(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, FAILURES_TO_OPEN)
    clock.now += 4.0
    with pytest.raises(Unavailable) as refused:
        circuit.enter()
    assert refused.value.retry_after_seconds == FIRST_REST_SECONDS - 4.0


def test_a_success_between_failures_keeps_it_closed(circuit: Circuit) -> None:
    for _ in range(3):
        fail(circuit, FAILURES_TO_OPEN - 1)
        circuit.enter()
        circuit.succeeded()


def test_a_single_request_tries_after_the_rest(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, FAILURES_TO_OPEN)
    clock.now += FIRST_REST_SECONDS
    circuit.enter()
    with pytest.raises(Unavailable):
        circuit.enter()
    circuit.succeeded()
    fail(circuit, FAILURES_TO_OPEN - 1)
    circuit.enter()


def test_a_trial_that_fails_doubles_the_rest_up_to_a_bound(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, FAILURES_TO_OPEN)
    rest = FIRST_REST_SECONDS
    for _ in range(8):
        clock.now += rest
        fail(circuit, 1)
        rest = min(rest * 2, LONGEST_REST_SECONDS)
        clock.now += rest - 1.5
        with pytest.raises(Unavailable) as refused:
            circuit.enter()
        assert refused.value.retry_after_seconds == 1.5
        clock.now -= rest - 1.5
    assert rest == LONGEST_REST_SECONDS


def test_a_caller_that_leaves_its_trial_lets_the_next_one_try(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, FAILURES_TO_OPEN)
    clock.now += FIRST_REST_SECONDS
    circuit.enter()
    circuit.left()
    circuit.enter()
