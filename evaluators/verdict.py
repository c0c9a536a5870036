"""Pass, fail or not enough data: for each requirement, and for a candidate as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluators.measurement import Measurement, SustainedRate
from evaluators.requirements import Bound, Requirement
from evaluators.stats import Interval


class Outcome(StrEnum):
    """What the data say about one requirement."""

    PASS = "pass"  # noqa: S105 - not a word to log in by
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not_enough_data"


class Decision(StrEnum):
    """What they say about a candidate."""

    GO = "go"
    NO_GO = "no_go"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One requirement held against what was measured."""

    requirement: Requirement
    outcome: Outcome
    value: float | None
    interval: Interval | None
    margin: float | None
    """How far the value is on the good side of the limit; negative on the bad side."""
    count: int
    """How many independent units were measured."""
    unit: str
    need_more: int | None
    """How many more units would likely settle it, if the value stays; None when settled, or when none would."""
    advice: str
    """What to do about it; empty when settled."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate's rulings and what they come to."""

    candidate: str
    decision: Decision
    rulings: tuple[Ruling, ...]
    is_isolated: bool
    """Whether it was measured alone on the machine; contended numbers are another kind and never mixed in."""


def rule(requirement: Requirement, measurement: Measurement | None) -> Ruling:
    """Pass when the whole interval is on the good side of the limit, fail when it is on the bad side.

    Anything between is not enough data, and so is a pass that items without a score or lost requests could turn
    round.
    """
    estimate = None if measurement is None else measurement.estimate
    outcome = _outcome(requirement, None if estimate is None else estimate.interval)
    more, advice = None, ""
    if outcome is Outcome.PASS and measurement is not None:
        advice = measurement.objection(requirement.limit, requirement.bound)
        outcome = Outcome.NOT_ENOUGH_DATA if advice else outcome
    elif outcome is Outcome.NOT_ENOUGH_DATA:
        more, advice = _way_out(requirement, measurement, 0 if estimate is None else estimate.count)
    return Ruling(
        requirement=requirement,
        outcome=outcome,
        value=None if estimate is None else estimate.value,
        interval=None if estimate is None else estimate.interval,
        margin=None if estimate is None else requirement.margin(estimate.value),
        count=0 if estimate is None else estimate.count,
        unit="" if measurement is None else measurement.unit,
        need_more=more,
        advice=advice,
    )


def decide(
    candidate: str,
    requirements: Sequence[Requirement],
    measurements: Mapping[Requirement, Measurement],
    *,
    is_isolated: bool,
) -> Verdict:
    """GO when every requirement passes, NO_GO when one fails; without requirements there is nothing to decide."""
    rulings = tuple(rule(requirement, measurements.get(requirement)) for requirement in requirements)
    outcomes = {ruling.outcome for ruling in rulings}
    if Outcome.FAIL in outcomes:
        decision = Decision.NO_GO
    elif outcomes == {Outcome.PASS}:
        decision = Decision.GO
    else:
        decision = Decision.NOT_ENOUGH_DATA
    return Verdict(candidate, decision, rulings, is_isolated)


def _outcome(requirement: Requirement, interval: Interval | None) -> Outcome:
    if interval is None:
        return Outcome.NOT_ENOUGH_DATA
    worst, best = interval.low, interval.high
    if requirement.bound is Bound.AT_MOST:
        worst, best = best, worst
    if requirement.margin(worst) >= 0:
        return Outcome.PASS
    if requirement.margin(best) < 0:
        return Outcome.FAIL
    return Outcome.NOT_ENOUGH_DATA


def _way_out(requirement: Requirement, measurement: Measurement | None, count: int) -> tuple[int | None, str]:
    """How many more units would settle it, and what to do."""
    if measurement is None:
        return None, "nothing was measured for it"
    if isinstance(measurement, SustainedRate):
        return None, f"run a load level at {requirement.limit:g} requests a minute"
    needed = measurement.needed(requirement.limit)
    if needed is None:
        return None, "the value is too near the limit for any amount of data: move the limit or call it a tie"
    more = max(1, needed - count)
    return more, f"run about {more:,} more {measurement.unit}"
