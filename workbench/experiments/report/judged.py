"""Pairwise judgements in the report: ratings, and how far the judge can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.requirements import Metric
from evaluators.stats import Rating
from workbench.experiments.report.words import interval_words, percent, short
from workbench.experiments.results.judged import JudgedProbe
from workbench.experiments.results.outcome import Results


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One candidate."""

    name: str
    rating: str
    rating_interval: str
    win_rate: str
    win_interval: str
    counts: str


@dataclass(frozen=True, slots=True)
class JudgedBlock:
    """One probe's judgements."""

    title: str
    rows: tuple[RatingRow, ...]
    trust: str


def judged_blocks(results: Results) -> list[JudgedBlock]:
    """Every probe that was judged in pairs."""
    return [
        JudgedBlock(
            results.manifest["probes"][judged.probe]["title"],
            () if judged.ranking is None else tuple(_row(rating) for rating in judged.ranking.ratings),
            _trust(judged, str(results.manifest["judge"]["model"])),
        )
        for judged in results.judged
    ]


def _row(rating: Rating) -> RatingRow:
    return RatingRow(
        rating.candidate,
        short(rating.rating.value),
        interval_words(rating.rating.interval, Metric.TOKENS_PER_SECOND),
        percent(rating.win_rate.value),
        interval_words(rating.win_rate.interval, Metric.UNSAFE_RATE),
        f"{rating.wins} won, {rating.losses} lost, {rating.ties} ties",
    )


def _trust(judged: JudgedProbe, judge: str) -> str:
    decided = judged.pairs - judged.flipped - judged.unreadable
    longer = (
        "Too few pairs were decided to see an effect of length."
        if judged.longer_won is None
        else f"The longer answer won {percent(judged.longer_won.value)} of the decided pairs "
        f"({interval_words(judged.longer_won.interval, Metric.UNSAFE_RATE)})."
    )
    return (
        f"{judge} judged {judged.pairs} pairs in both orders: {decided} alike in both, {judged.flipped} changed with "
        f"the order and {judged.unreadable} without a verdict; these count for nobody. {longer}"
    )
