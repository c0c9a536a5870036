from __future__ import annotations

import pytest

from workbench.admission.pace import Pace


def _wait(pace: Pace, position: int, places: int, running_for: tuple[float, ...] = ()) -> int:
    return pace.wait_seconds("m", position=position, places=places, running_for=running_for)


@pytest.mark.parametrize(
    ("position", "places", "expected"),
    [(1, 1, 8), (1, 4, 2), (4, 4, 8), (5, 4, 10), (100, 1, 120), (1, 100, 1)],
)
def test_the_wait_grows_with_the_queue_and_shrinks_with_the_places(
    position: int, places: int, expected: int
) -> None:
    pace = Pace()
    pace.note("m", 6.0)
    pace.note("m", 10.0)
    assert _wait(pace, position, places) == expected


def test_before_any_call_has_ended_what_runs_is_taken_to_be_half_way() -> None:
    assert _wait(Pace(), 1, 2, running_for=(10.0, 20.0)) == 15
    assert _wait(Pace(), 3, 2) == 1


def test_only_the_last_calls_of_the_model_count() -> None:
    pace = Pace()
    for _ in range(100):
        pace.note("m", 100.0)
    for _ in range(32):
        pace.note("m", 3.0)
    pace.note("other", 90.0)
    assert _wait(pace, 1, 1) == 3
