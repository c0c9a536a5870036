"""Pairwise judgement: which of two answers a judge prefers, asked in both orders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluators.stats import Estimate, Outcome, rate_estimate
from evaluators.stats.estimate import as_floats

_VERDICT = re.compile(r"verdict\s*[:=]?\s*[\[\"'*]*\s*(a|b|tie)\b", re.IGNORECASE)
_QUESTION = """\
Two assistants answered the same request. Which answer helps the person who asked more? Judge by whether it is right, \
whether it does what was asked, and whether it is clear. Longer is not better, and the order means nothing.

[Request]
{request}

[Answer A]
{a}

[Answer B]
{b}

Give your reason in one or two sentences. Then write "Verdict: A", "Verdict: B" or "Verdict: tie"."""


class Side(StrEnum):
    """What a judge said."""

    A = "a"
    B = "b"
    TIE = "tie"


def pair_question(request: str, a: str, b: str) -> str:
    """What the judge is asked about two answers, in this order."""
    return _QUESTION.format(request=request, a=a, b=b)


def verdict_of(text: str) -> Side | None:
    """The last verdict in what the judge wrote; None where it gave none."""
    found = _VERDICT.findall(text)
    return Side(found[-1].casefold()) if found else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Two verdicts on one pair: with the first answer as A, and then as B."""

    forward: Side | None
    backward: Side | None

    @property
    def outcome(self) -> Outcome | None:
        """Who won, or None where the judge abstains: its word depends on the order, or it gave none."""
        if self.forward is None or self.backward is None:
            return None
        turned = {Side.A: Side.B, Side.B: Side.A, Side.TIE: Side.TIE}[self.backward]
        if self.forward is not turned:
            return None
        return {Side.A: Outcome.FIRST, Side.B: Outcome.SECOND, Side.TIE: Outcome.TIE}[self.forward]

    @property
    def is_flipped(self) -> bool:
        """Whether the judge changed its mind with the order."""
        return self.forward is not None and self.backward is not None and self.outcome is None


def longer_won(judged: Sequence[tuple[Outcome, int, int]]) -> Estimate | None:
    """The share of decided pairs in which the longer answer won; None without any of different length.

    Each entry is an outcome and both answers' lengths. One half is no preference for length. Longer answers may be
    better ones, so a high share is a reason to look, not a proof.
    """
    decided = [
        (outcome is Outcome.FIRST) == (first > second)
        for outcome, first, second in judged
        if outcome in (Outcome.FIRST, Outcome.SECOND) and first != second
    ]
    return rate_estimate([as_floats([float(won)]) for won in decided]) if decided else None
