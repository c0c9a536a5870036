from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from evaluators.stats.bradley_terry import (
    POINTS_PER_LOG_ODDS,
    RATING_CENTRE,
    Outcome,
    Vote,
    comparable_groups,
    log_strengths,
    rank,
    standard_errors,
)


def simulated_votes(strengths: dict[str, float], votes: int, rng: np.random.Generator) -> list[Vote]:
    """Votes on random pairs whose odds follow the strengths."""
    names = list(strengths)
    result = []
    for _ in range(votes):
        first, second = (names[i] for i in rng.choice(len(names), 2, replace=False))
        wins = rng.random() < 1 / (1 + np.exp(strengths[second] - strengths[first]))
        result.append(Vote(first, second, Outcome.FIRST if wins else Outcome.SECOND))
    return result


def test_strengths_equal_a_logistic_regression() -> None:
    """Bradley-Terry is a logistic regression on who stood left and who stood right; ties count half."""
    rng = np.random.default_rng(1)
    wins = rng.integers(1, 30, size=(4, 4)) / 2
    np.fill_diagonal(wins, 0)
    rows, response, weights = [], [], []
    for i in range(4):
        for j in range(i + 1, 4):
            row = np.zeros(4)
            row[i], row[j] = 1, -1
            rows.append(row[1:])
            response.append(wins[i, j] / (wins[i, j] + wins[j, i]))
            weights.append(wins[i, j] + wins[j, i])
    fit = sm.GLM(
        response, np.array(rows), family=sm.families.Binomial(), freq_weights=np.array(weights)
    ).fit()
    theirs = np.concatenate([[0.0], fit.params])
    theirs -= theirs.mean()
    ours = log_strengths(wins)
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert ours.sum() == pytest.approx(0.0, abs=1e-9)
    contrast = np.eye(4)[1] - 1 / 4
    theirs_error = np.sqrt(contrast[1:] @ fit.cov_params() @ contrast[1:])
    assert standard_errors(ours, wins + wins.T)[1] == pytest.approx(theirs_error, rel=1e-3)


def test_ten_to_one_odds_are_400_points() -> None:
    strengths = log_strengths(np.array([[0.0, 10.0], [1.0, 0.0]]))
    assert POINTS_PER_LOG_ODDS * (strengths[0] - strengths[1]) == pytest.approx(400)


def test_intervals_cover_at_their_level() -> None:
    strengths = {"a": -0.8, "b": 0.0, "c": 0.8}
    rng = np.random.default_rng(2)
    covered = runs = 0
    for seed in range(200):
        for rating in rank(simulated_votes(strengths, 200, rng), resamples=400, seed=seed).ratings:
            assert rating.rating.interval is not None
            truth = RATING_CENTRE + POINTS_PER_LOG_ODDS * strengths[rating.candidate]
            covered += truth in rating.rating.interval
            runs += 1
    assert 0.93 <= covered / runs <= 0.97


def test_best_comes_first_and_the_mean_stays_put() -> None:
    ranking = rank(simulated_votes({"weak": -1, "middle": 0, "strong": 1}, 400, np.random.default_rng(3)))
    assert [rating.candidate for rating in ranking.ratings] == ["strong", "middle", "weak"]
    assert np.mean([rating.rating.value for rating in ranking.ratings]) == pytest.approx(RATING_CENTRE)
    assert ranking.better["strong", "weak"] > 0.99
    assert ranking.better["weak", "strong"] < 0.01


def test_ties_and_both_bad_pull_ratings_together_alike() -> None:
    won = [Vote("a", "b", Outcome.FIRST)] * 20
    decided = rank(won)
    tied = rank([*won, *[Vote("a", "b", Outcome.TIE)] * 20])
    bad = rank([*won, *[Vote("b", "a", Outcome.BOTH_BAD)] * 20])
    assert tied.ratings[0].rating.value < decided.ratings[0].rating.value
    assert tied.ratings[0].rating.value == pytest.approx(bad.ratings[0].rating.value)
    assert (tied.ratings[0].ties, tied.ratings[0].both_bad) == (20, 0)
    assert (bad.ratings[0].ties, bad.ratings[0].both_bad) == (0, 20)
    assert tied.ratings[0].win_rate.value == 0.75


def test_wins_count_for_the_candidate_wherever_it_stood() -> None:
    votes = [Vote("a", "b", Outcome.FIRST), Vote("b", "a", Outcome.SECOND), Vote("b", "a", Outcome.FIRST)]
    ratings = {rating.candidate: rating for rating in rank(votes).ratings}
    assert (ratings["a"].wins, ratings["a"].losses) == (2, 1)
    assert (ratings["b"].wins, ratings["b"].losses) == (1, 2)


def test_an_unbeaten_candidate_has_a_finite_rating() -> None:
    ranking = rank([Vote("a", "b", Outcome.FIRST)] * 5)
    assert ranking.ratings[0].rating.interval is not None
    assert ranking.ratings[0].rating.interval.is_bounded
    assert ranking.ratings[0].rating.interval.low < RATING_CENTRE + 400


def test_votes_on_one_item_are_resampled_together() -> None:
    """Ten copies of each vote under one item must not look like ten times the evidence."""
    base = simulated_votes({"a": 0.0, "b": 0.7}, 40, np.random.default_rng(4))
    copied = [Vote(v.first, v.second, v.outcome, item=str(i)) for i, v in enumerate(base) for _ in range(10)]
    alone = [Vote(v.first, v.second, v.outcome) for v in copied]

    def width(votes: list[Vote]) -> float:
        interval = rank(votes).ratings[0].rating.interval
        assert interval is not None
        return interval.high - interval.low

    assert width(copied) > 2.5 * width(alone)


def test_candidates_without_a_link_cannot_be_ranked_together() -> None:
    votes = [Vote("a", "b", Outcome.FIRST), Vote("c", "d", Outcome.FIRST), Vote("d", "e", Outcome.TIE)]
    assert set(comparable_groups(votes)) == {frozenset("ab"), frozenset("cde")}
    with pytest.raises(ValueError, match="linked"):
        rank(votes)
    with pytest.raises(ValueError, match="linked"):
        rank([])


def test_nobody_is_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="different"):
        Vote("a", "a", Outcome.TIE)
