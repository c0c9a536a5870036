"""What the guard found of a message and of its answer: quiet marks in the line under the answer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from guard.base import Direction, Verdict

_SIDES = {Direction.INPUT: "Message", Direction.OUTPUT: "Answer"}


def guard_html(verdicts: Sequence[Verdict], *, was_blocked: bool = False) -> str:
    """A mark for each side that was judged, and the guard's name. "" without a guard.

    A mark says checked, flagged, blocked or not judged, the categories in words and P(unsafe). `was_blocked`: the
    answer was cut off for what was found.
    """
    if not verdicts:
        return ""
    marks = [_mark(verdict, was_blocked=was_blocked) for verdict in verdicts]
    names = ", ".join(dict.fromkeys(verdict.guard for verdict in verdicts))
    return "".join(
        (*marks, f'<span class="wb-guard" title="The guard that judged this">by {escape(names)}</span>')
    )


def _mark(verdict: Verdict, *, was_blocked: bool) -> str:
    side = _SIDES[verdict.direction]
    score = "" if verdict.p_unsafe is None else f" {verdict.p_unsafe:.2f}"
    loud = " wb-marked"
    if verdict.is_flagged:
        kinds = ", ".join(hazard.name for hazard in verdict.hazards) or "unsafe"
        is_blocked = was_blocked and verdict.direction is Direction.OUTPUT
        text = f"{side} {'blocked' if is_blocked else 'flagged'}: {kinds}{score}"
    elif verdict.is_available:
        limits = ", with limits" if verdict.reason else ""
        text, loud = f"{side} checked{score}{limits}", ""
    else:
        text = f"{side} not judged"
    return f'<span class="wb-guard{loud}" title="{escape(_explained(verdict))}">{escape(text)}</span>'


def _explained(verdict: Verdict) -> str:
    score = "" if verdict.p_unsafe is None else f" {verdict.p_unsafe:.2f}"
    limit = "" if verdict.threshold is None else f" (unsafe from {verdict.threshold:.2f})"
    reason = f", {verdict.reason}" if verdict.reason else ""
    return f"{verdict.guard} on the {verdict.direction.value}: {verdict.state.value}{score}{limit}{reason}"
