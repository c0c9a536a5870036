"""One blind round: which two candidates meet, on which side, and what the votes come to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from evaluators.stats import Outcome, Rating, Vote, comparable_groups, rank

MOST_CANDIDATES = 4


class Choice(StrEnum):
    """What a voter may say."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"


_OUTCOMES = {
    Choice.LEFT: Outcome.FIRST,
    Choice.RIGHT: Outcome.SECOND,
    Choice.TIE: Outcome.TIE,
    Choice.BOTH_BAD: Outcome.BOTH_BAD,
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote that was cast: the models as they stood."""

    left: str
    right: str
    choice: Choice


@dataclass(slots=True)
class ArenaSession:
    """One tab's arena. It stays on the server: the names must not reach the page before the vote.

    `pair` is the round that waits for its vote, None when there is none; `ballots` are this tab's, for a server that
    keeps none.
    """

    pair: tuple[str, str] | None = None
    ballots: list[Ballot] = field(default_factory=list)


def draw_pair(candidates: Sequence[str], ballots: Sequence[Ballot], chance: random.Random) -> tuple[str, str]:
    """(left, right): a pair that met least often so far, its sides by chance.

    Raises: ValueError for fewer than two different candidates.
    """
    pairs = list(combinations(dict.fromkeys(candidates), 2))
    if not pairs:
        raise ValueError("a round needs two different candidates")
    met = {pair: sum({ballot.left, ballot.right} == set(pair) for ballot in ballots) for pair in pairs}
    fewest = min(met.values())
    first, second = chance.choice([pair for pair in pairs if met[pair] == fewest])
    return (first, second) if chance.random() < 0.5 else (second, first)


def standings(candidates: Sequence[str], ballots: Sequence[Ballot]) -> tuple[Rating, ...]:
    """Bradley-Terry ratings and win rates of these candidates, best first; only those that votes link together.

    Empty before the first vote between two of them.
    """
    votes = [
        Vote(ballot.left, ballot.right, _OUTCOMES[ballot.choice])
        for ballot in ballots
        if ballot.left != ballot.right and {ballot.left, ballot.right} <= set(candidates)
    ]
    if not votes:
        return ()
    largest = max(comparable_groups(votes), key=len)
    return rank([vote for vote in votes if vote.first in largest]).ratings
