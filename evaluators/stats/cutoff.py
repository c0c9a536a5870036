"""When knowledge ends: the moment from which dated answers are no better than guesses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LIKELIHOOD_DROP = 3.0
"""How far the log-likelihood may fall within the interval. A moment of change is no regular parameter: the usual 1.92
covered 78 to 93 % of simulated ends, this 93 to 99 %."""
_LEAST_GAIN = 3.0
"""Half of the 95 % point of chi-squared with two degrees: a step fits its moment and its height."""


@dataclass(frozen=True, slots=True)
class DatedAnswer:
    """Whether a question about `month`, as in "2023-04", was answered right, and how likely a guess is to be right."""

    month: str
    is_right: bool
    chance: float


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The last month with knowledge better than chance.

    `last` is None when nowhere anything better than chance was shown. `earliest` and `latest` bound it at 95 %
    (profile likelihood); a `latest` that is the last month asked about is no bound: knowledge may reach further.
    """

    last: str | None
    earliest: str | None
    latest: str | None
    is_open: bool
    """Whether the data give no end."""
    share_before: float
    """Right answers up to `last`."""
    count: int


def find_cutoff(answers: Sequence[DatedAnswer]) -> Cutoff:
    """The step that explains the answers best: one share of right answers up to a month, chance after it.

    Raises: ValueError without answers, or with a chance that is none.
    """
    if not answers or not all(0 < answer.chance < 1 for answer in answers):
        raise ValueError("a cut-off is found from answers, each with a chance between 0 and 1")
    ordered = sorted(answers, key=lambda answer: answer.month)
    months = sorted({answer.month for answer in ordered})
    never = _fit(ordered, "")
    fits = {month: _fit(ordered, month) for month in months}
    best = max(months, key=lambda month: fits[month].likelihood)
    if fits[best].likelihood - never.likelihood < _LEAST_GAIN:
        return Cutoff(None, None, None, False, 0.0, len(ordered))
    near = [m for m in months if fits[best].likelihood - fits[m].likelihood <= _LIKELIHOOD_DROP]
    return Cutoff(best, near[0], near[-1], near[-1] == months[-1], fits[best].share, len(ordered))


@dataclass(frozen=True, slots=True)
class _Fit:
    likelihood: float
    share: float


def _fit(answers: Sequence[DatedAnswer], last: str) -> _Fit:
    """The log-likelihood of a step after the month `last`; knowledge is never worse than chance."""
    before = [answer for answer in answers if answer.month <= last]
    after = [answer for answer in answers if answer.month > last]
    right = sum(answer.is_right for answer in before)
    floor = sum(answer.chance for answer in before) / len(before) if before else 0.0
    share = max(right / len(before), floor) if before else 0.0
    known = _log(share, right) + _log(1 - share, len(before) - right) if before else 0.0
    guessed = sum(math.log(a.chance if a.is_right else 1 - a.chance) for a in after)
    return _Fit(known + guessed, share)


def _log(share: float, count: int) -> float:
    """`count` times the logarithm, 0 where nothing is counted."""
    return count * math.log(share) if count else 0.0
