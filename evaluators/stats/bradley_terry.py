"""Ratings from pairwise votes, with the uncertainty of few votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluators.stats.bootstrap import DEFAULT_RESAMPLES, DEFAULT_SEED
from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, FloatArray, Interval, two_sided_z
from evaluators.stats.proportion import wilson

RATING_CENTRE = 1000.0
"""The mean rating of the candidates in one fit."""

POINTS_PER_LOG_ODDS = 400 / np.log(10)
"""400 points are odds of 10 to 1, as in chess."""

_PRIOR_TIES = 1.0
_NEWTON_STEPS = 50
_LARGEST_STEP = 2.0
_CONVERGED = 1e-10


class Outcome(StrEnum):
    """What a voter or judge said of a pair; "both bad" rates like a tie, counted apart."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both_bad"


@dataclass(frozen=True, slots=True)
class Vote:
    """One comparison. Votes with the same `item` (say, a prompt) are resampled together."""

    first: str
    second: str
    outcome: Outcome
    item: str | None = None

    def __post_init__(self) -> None:
        """Refuses a candidate set against itself."""
        if self.first == self.second:
            raise ValueError("a vote needs two different candidates")


@dataclass(frozen=True, slots=True)
class Rating:
    """One candidate: `rating` in points, `win_rate` with ties as half a win, and raw counts."""

    candidate: str
    rating: Estimate
    win_rate: Estimate
    wins: int
    losses: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ratings, best first, and `better[a, b]`: the share of resamples in which a is rated above b."""

    ratings: tuple[Rating, ...]
    better: dict[tuple[str, str], float]


def log_strengths(wins: FloatArray) -> FloatArray:
    """Bradley-Terry log-strengths by maximum likelihood, adding up to zero, for a batch [..., k, k].

    `wins[i, j]` is how often i beat j, a tie being half a win for both (Bradley & Terry 1952). Newton's
    method; the likelihood has one maximum where no group of candidates always beats the rest.
    """
    games = wins + np.swapaxes(wins, -1, -2)
    theta = np.zeros(wins.shape[:-1])
    for _ in range(_NEWTON_STEPS):
        gradient = (wins - games * _win_chance(theta)).sum(axis=-1)
        step = np.linalg.solve(_information(theta, games), gradient[..., None])[..., 0]
        theta = theta + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        if np.abs(step).max() < _CONVERGED:
            break
    result: FloatArray = theta - theta.mean(axis=-1, keepdims=True)
    return result


def standard_errors(theta: FloatArray, games: FloatArray) -> FloatArray:
    """Standard errors of log-strengths [k] that add up to zero, from the information in `games` [k, k]."""
    covariance = np.linalg.inv(_information(theta, games)) - 1 / theta.size
    result: FloatArray = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    return result


def _win_chance(theta: FloatArray) -> FloatArray:
    result: FloatArray = 1 / (1 + np.exp(theta[..., None, :] - theta[..., :, None]))
    return result


def _information(theta: FloatArray, games: FloatArray) -> FloatArray:
    """Fisher information; adding 1 / k pins the sum of the log-strengths, which the votes leave open."""
    chance = _win_chance(theta)
    weight = games * chance * (1 - chance)
    candidates = theta.shape[-1]
    result: FloatArray = np.eye(candidates) * weight.sum(axis=-1)[..., None] - weight + 1 / candidates
    return result


def comparable_groups(votes: Sequence[Vote]) -> tuple[frozenset[str], ...]:
    """Candidates linked by votes, directly or through others; only these can be ranked together."""
    groups: list[set[str]] = []
    for vote in votes:
        pair = {vote.first, vote.second}
        linked = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair]
        groups.append(pair.union(*linked))
    return tuple(frozenset(group) for group in groups)


def rank(
    votes: Sequence[Vote],
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> Ranking:
    """Bradley-Terry ratings; each interval covers both a percentile bootstrap over items and the normal one.

    The bootstrap alone is far too short for few votes or one-sided ones, the normal interval alone for votes
    that share items. One made-up tie a pair that met keeps the rating of an always-winner finite.

    Raises: ValueError without votes, or when votes do not link all candidates (see `comparable_groups`).
    """
    if len(comparable_groups(votes)) != 1:
        raise ValueError("only candidates linked by votes can be ranked together")
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    per_item = _wins_per_item(votes, names)
    total = per_item.sum(axis=0)
    prior = _PRIOR_TIES / 2 * ((total + total.T) > 0)
    point = log_strengths(total + prior)
    rng = np.random.default_rng(seed)
    items = per_item.shape[0]
    weights = rng.multinomial(items, np.full(items, 1 / items), size=resamples).astype(np.float64)
    resampled = np.tensordot(weights, per_item, axes=1)
    spread = log_strengths(resampled + prior)
    games = total + total.T + 2 * prior
    half = two_sided_z(level) * standard_errors(point, games)
    tails = np.quantile(spread, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    low, high = np.minimum(tails[0], point - half), np.maximum(tails[1], point + half)
    order = np.argsort(-point, kind="stable")
    ratings = tuple(
        _rating(votes, names[i], _in_points(point[i], low[i], high[i], level, items, len(votes)))
        for i in order
    )
    better = {
        (names[i], names[j]): float((spread[:, i] > spread[:, j]).mean())
        for i in range(len(names))
        for j in range(len(names))
        if i != j
    }
    return Ranking(ratings, better)


def _wins_per_item(votes: Sequence[Vote], names: Sequence[str]) -> FloatArray:
    """Win matrices [items, k, k]; a tie is half a win for both."""
    position = {name: index for index, name in enumerate(names)}
    keys = [vote.item if vote.item is not None else number for number, vote in enumerate(votes)]
    row = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    wins = np.zeros((len(row), len(names), len(names)))
    for key, vote in zip(keys, votes, strict=True):
        first, second = position[vote.first], position[vote.second]
        share = {Outcome.FIRST: 1.0, Outcome.SECOND: 0.0}.get(vote.outcome, 0.5)
        wins[row[key], first, second] += share
        wins[row[key], second, first] += 1 - share
    return wins


def _in_points(point: float, low: float, high: float, level: float, items: int, votes: int) -> Estimate:
    value, lowest, highest = (
        RATING_CENTRE + POINTS_PER_LOG_ODDS * float(strength) for strength in (point, low, high)
    )
    return Estimate(value, Interval(lowest, highest, level, "bootstrap and normal, the wider"), items, votes)


def _rating(votes: Sequence[Vote], name: str, rating: Estimate) -> Rating:
    own = [vote for vote in votes if name in (vote.first, vote.second)]
    won = Outcome.FIRST, Outcome.SECOND
    wins = sum(
        vote.outcome in won and (vote.outcome is Outcome.FIRST) == (vote.first == name) for vote in own
    )
    ties = sum(vote.outcome is Outcome.TIE for vote in own)
    both_bad = sum(vote.outcome is Outcome.BOTH_BAD for vote in own)
    losses = len(own) - wins - ties - both_bad
    level = rating.interval.level if rating.interval is not None else DEFAULT_LEVEL
    won_share = wins + 0.5 * (ties + both_bad)
    win_rate = Estimate(won_share / len(own), wilson(won_share, len(own), level), len(own), len(own))
    return Rating(name, rating, win_rate, wins, losses, ties, both_bad)
