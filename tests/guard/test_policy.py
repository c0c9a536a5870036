"""What a policy makes of a verdict, and that a request can only tighten it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.base import Direction, Hazard, Verdict, VerdictState
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy, WindowSizes
from tests.guard.fakes import FakeGuard

HATE = Hazard("S10", "Hate")
FLAGGED = Verdict("g", Direction.INPUT, VerdictState.UNSAFE, p_unsafe=0.9, hazards=(HATE,))
ORDER = [Mode.OFF, Mode.SHADOW, Mode.SCORE, Mode.BLOCK]
policies = st.builds(
    DirectionPolicy,
    st.sampled_from(Mode),
    st.none() | st.floats(0, 1),
    st.none() | st.frozensets(st.sampled_from(["S1", "S2", "S10"])),
)


def is_blocked(policy: DirectionPolicy, verdict: Verdict, guard_threshold: float) -> bool:
    threshold = guard_threshold if policy.threshold is None else policy.threshold
    decided = replace(
        verdict,
        state=VerdictState.UNSAFE if (verdict.p_unsafe or 0.0) >= threshold else VerdictState.SAFE,
    )
    return policy.mode is Mode.BLOCK and policy.judged(decided).is_flagged


@given(policies, policies, st.floats(0, 1), st.floats(0, 1), st.sampled_from(["S1", "S2", "S10"]))
def test_what_one_policy_blocks_the_tightened_one_blocks(
    base: DirectionPolicy, asked: DirectionPolicy, p_unsafe: float, guard_threshold: float, code: str
) -> None:
    verdict = replace(FLAGGED, p_unsafe=p_unsafe, hazards=(Hazard(code, "x"),))
    tightened = base.tightened(asked, guard_threshold=guard_threshold)
    if is_blocked(base, verdict, guard_threshold):
        assert is_blocked(tightened, verdict, guard_threshold)
    assert ORDER.index(tightened.mode) == max(ORDER.index(base.mode), ORDER.index(asked.mode))


def test_where_nothing_is_set_a_request_decides() -> None:
    asked = DirectionPolicy(Mode.BLOCK, 0.9, frozenset({"S1"}))
    assert DirectionPolicy().tightened(asked, guard_threshold=0.5) == asked


def test_a_request_that_asks_for_nothing_changes_nothing() -> None:
    base = DirectionPolicy(Mode.SCORE, None, frozenset({"S1"}))
    assert base.tightened(DirectionPolicy(), guard_threshold=0.5) == base


def test_a_threshold_above_the_guards_own_does_not_loosen() -> None:
    tightened = DirectionPolicy(Mode.BLOCK).tightened(DirectionPolicy(Mode.BLOCK, 0.9), guard_threshold=0.5)
    assert tightened.threshold == 0.5


def test_a_request_cannot_make_the_guard_fail_open() -> None:
    base = ScreeningPolicy(output=DirectionPolicy(Mode.BLOCK))
    asked = ScreeningPolicy(input=DirectionPolicy(Mode.BLOCK), is_fail_open=True, timeout_seconds=0.0)
    tightened = base.tightened(asked, FakeGuard())
    assert not tightened.is_fail_open
    assert tightened.timeout_seconds == base.timeout_seconds
    assert (tightened.input.mode, tightened.output.mode) == (Mode.BLOCK, Mode.BLOCK)


def test_each_direction_is_tightened_from_its_own_threshold() -> None:
    base = ScreeningPolicy(DirectionPolicy(Mode.BLOCK), DirectionPolicy(Mode.BLOCK))
    asked = ScreeningPolicy(DirectionPolicy(Mode.SCORE, 0.4), DirectionPolicy(Mode.SCORE, 0.4))
    tightened = base.tightened(asked, FakeGuard())
    assert (tightened.input.threshold, tightened.output.threshold) == (0.4, 0.3)


def test_a_hazard_that_does_not_count_does_not_flag() -> None:
    judged = DirectionPolicy(Mode.BLOCK, categories=frozenset({"S1"})).judged(FLAGGED)
    assert not judged.is_flagged
    assert "S10" in judged.reason


@pytest.mark.parametrize(
    ("categories", "verdict"),
    [
        (None, FLAGGED),
        (frozenset({"S10"}), FLAGGED),
        (frozenset({"S1"}), replace(FLAGGED, hazards=())),
        (frozenset({"S1"}), replace(FLAGGED, hazards=(HATE, Hazard("S1", "Violent Crimes")))),
        (frozenset({"S1"}), replace(FLAGGED, state=VerdictState.UNAVAILABLE)),
    ],
    ids=["all count", "it counts", "no reason given", "one of them counts", "unavailable"],
)
def test_every_other_verdict_stays_as_it_is(categories: frozenset[str] | None, verdict: Verdict) -> None:
    assert DirectionPolicy(Mode.BLOCK, categories=categories).judged(verdict) == verdict


def test_a_policy_is_off_when_both_directions_are() -> None:
    assert ScreeningPolicy().is_off
    for first, second in itertools.product(Mode, Mode):
        policy = ScreeningPolicy(DirectionPolicy(first), DirectionPolicy(second))
        assert policy.is_off == (first is Mode.OFF and second is Mode.OFF)


@pytest.mark.parametrize("sizes", [{"lookahead_chars": 80}, {"stride_chars": 1200}, {"first_chars": 400}])
def test_window_sizes_must_grow(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="sizes must grow"):
        WindowSizes(**sizes)
