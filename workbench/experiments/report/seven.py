"""The seven questions in the report: what each asks, every candidate's scores, drops, and coloured answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.requirements import Metric
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.report.sections import SIGNIFICANT, ScoreRow, score_rows, signed
from workbench.experiments.report.words import interval_words, percent, quantity
from workbench.experiments.results.contrasts import Contrast
from workbench.experiments.results.knowledge import KnownUntil
from workbench.experiments.results.outcome import Results
from workbench.experiments.spec.seven_questions import QUESTIONS, Question

SURPRISE_LIMITS = (0.7, 1.6, 3.0, 5.0)
"""In nats: a token the model gave 1 in 2, 1 in 5, 1 in 20, 1 in 150."""
_COLOURED_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """One drop or gain."""

    title: str
    candidate: str
    value: str
    interval: str
    reading: str


@dataclass(frozen=True, slots=True)
class ColouredToken:
    """A piece of an answer; `level` 0 is expected, 4 is a surprise."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class ColouredAnswer:
    """One answer of a candidate."""

    head: str
    tokens: tuple[ColouredToken, ...]


@dataclass(frozen=True, slots=True)
class QuestionBlock:
    """One of the seven questions, answered."""

    title: str
    explanation: str
    scores: list[ScoreRow]
    contrasts: list[ContrastRow]
    findings: list[str]
    coloured: list[ColouredAnswer]


def question_blocks(results: Results) -> list[QuestionBlock]:
    """The questions that the experiment asks, in their own order."""
    asked = {probe.question for probe in results.experiment.probes}
    return [_block(results, question) for question in QUESTIONS if question.name in asked]


def _block(results: Results, question: Question) -> QuestionBlock:
    probes = [probe for probe in results.experiment.probes if probe.question == question.name]
    names = {probe.name for probe in probes}
    return QuestionBlock(
        question.title,
        question.explanation,
        score_rows(results, [probe.name for probe in probes]),
        [_contrast_row(made) for made in results.contrasts if made.probe in names],
        [_until_words(found) for found in results.known_until if found.probe in names],
        _coloured(results, names),
    )


def _contrast_row(made: Contrast) -> ContrastRow:
    value = made.difference.value
    reading = "no change shown"
    if made.adjusted_p < SIGNIFICANT:
        reading = "lower than the baseline" if value < 0 else "higher than the baseline"
    return ContrastRow(
        f"{made.probe} minus {made.baseline}",
        made.candidate,
        signed(quantity(abs(value), Metric.QUALITY, made.scale), value),
        interval_words(made.difference.interval, Metric.QUALITY, made.scale),
        reading,
    )


def _until_words(found: KnownUntil) -> str:
    cutoff = found.cutoff
    if cutoff.last is None:
        return f"{found.candidate}: in no month does it know better than a guess ({cutoff.count} questions)."
    if cutoff.is_open:
        return f"{found.candidate}: it knows at least until {cutoff.earliest}; no end was found by {cutoff.latest}."
    return (
        f"{found.candidate}: its knowledge ends about {cutoff.last} (between {cutoff.earliest} and {cutoff.latest}, "
        f"95 %); until then {percent(cutoff.share_before)} right, guesses after it."
    )


def _coloured(results: Results, probes: set[str]) -> list[ColouredAnswer]:
    made: list[ColouredAnswer] = []
    for candidate in results.experiment.candidates:
        rows = [
            row
            for row in results.samples
            if row.probe in probes and row.candidate == candidate.name and row.tokens
        ]
        made += [_coloured_answer(row) for row in rows[:_COLOURED_ANSWERS]]
    return made


def _coloured_answer(row: SampleRow) -> ColouredAnswer:
    tokens = tuple(ColouredToken(t.text, surprise_level(t.surprise)) for t in row.tokens)
    return ColouredAnswer(f"{row.candidate}, item {row.sample}", tokens)


def surprise_level(surprise: float, limits: Sequence[float] = SURPRISE_LIMITS) -> int:
    """How many of the limits the surprise in nats is beyond, 0 to 4."""
    return sum(surprise > limit for limit in limits)
