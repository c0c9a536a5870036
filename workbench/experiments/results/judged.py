"""What a judge's stored words about pairs of answers come to: ratings, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.pairwise import Judgement, longer_won, verdict_of
from evaluators.stats import Estimate, Ranking, Vote, comparable_groups, rank
from workbench.experiments.record.rows import JudgementRow
from workbench.experiments.spec.experiment import Experiment


@dataclass(frozen=True, slots=True)
class JudgedProbe:
    """What the judge's words on one probe come to. Pairs on which it abstained are in no rating."""

    probe: str
    ranking: Ranking | None
    """None where it decided nothing, or not enough to link all candidates."""
    pairs: int
    flipped: int
    """Pairs on which its word depended on the order."""
    unreadable: int
    """Pairs on which it gave no verdict at least once."""
    longer_won: Estimate | None


def judged_probes(experiment: Experiment, rows: Sequence[JudgementRow]) -> tuple[JudgedProbe, ...]:
    """Every probe that was to be judged in pairs."""
    asked = () if experiment.judge is None else experiment.judge.pairwise
    return tuple(
        _judged_probe(experiment, name, [row for row in rows if row.probe == name]) for name in asked
    )


def _judged_probe(experiment: Experiment, name: str, rows: Sequence[JudgementRow]) -> JudgedProbe:
    judged = [(row, Judgement(verdict_of(row.forward), verdict_of(row.backward))) for row in rows]
    decided = [(row, outcome) for row, word in judged if (outcome := word.outcome) is not None]
    votes = [Vote(row.first, row.second, outcome, row.sample) for row, outcome in decided]
    named = {name for vote in votes for name in (vote.first, vote.second)}
    is_whole = named == {candidate.name for candidate in experiment.candidates}
    flipped = sum(word.is_flipped for _, word in judged)
    return JudgedProbe(
        name,
        rank(votes) if is_whole and len(comparable_groups(votes)) == 1 else None,
        len(rows),
        flipped,
        len(rows) - len(decided) - flipped,
        longer_won([(outcome, row.first_words, row.second_words) for row, outcome in decided]),
    )
