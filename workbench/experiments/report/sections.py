"""The report's tables, as the template prints them: plain words in small records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.base import Scale
from evaluators.requirements import Metric
from evaluators.verdict import Decision, Outcome, Ruling, Verdict
from workbench.experiments.report.words import (
    DECISIONS,
    NONE,
    OUTCOMES,
    interval_words,
    percent,
    quantity,
    requirement_words,
    score_words,
)
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.scores import Difference, ProbeScore
from workbench.experiments.spec.experiment import Mode

SIGNIFICANT = 0.05
_SHOWN_ROWS = 5
"""Bad rows that a warning names; the manifest has all."""
_TIMED = frozenset(Metric) - {Metric.QUALITY, Metric.UNSAFE_RATE, Metric.OVER_REFUSAL_RATE}


@dataclass(frozen=True, slots=True)
class Card:
    """One candidate at a glance."""

    name: str
    decision: str
    decision_words: str
    mode: str
    mode_reason: str
    sentence: str
    about: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of the requirements or quality table."""

    value: str
    interval: str = ""
    detail: str = ""
    outcome: str = ""
    outcome_words: str = ""
    mode: str = ""
    """Isolated or contended, where the number depends on it."""


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement over all candidates."""

    asked: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One probe over all candidates."""

    title: str
    reading: str
    caution: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One paired difference."""

    title: str
    pair: str
    value: str
    interval: str
    p: str
    reading: str
    detail: str


def cards(results: Results) -> list[Card]:
    """Every candidate at a glance."""
    return [_card(results, verdict) for verdict in results.verdicts]


def _card(results: Results, verdict: Verdict) -> Card:
    about = results.manifest["candidates"].get(verdict.candidate, {})
    parameters = about.get("parameters")
    size = "" if not parameters else f"{parameters / 1e6:,.0f} million parameters, "
    mode, reason = mode_of(results, verdict)
    return Card(
        verdict.candidate,
        verdict.decision.value,
        DECISIONS[verdict.decision],
        mode,
        reason,
        _sentence(verdict),
        f"{about.get('model', '')}: {size}{about.get('dtype', '')}, weights {about.get('fingerprint', '')}",
    )


def mode_of(results: Results, verdict: Verdict) -> tuple[str, str]:
    """The badge of a candidate's timings, and why."""
    load = results.load(verdict.candidate)
    if load is None:
        return "not timed", "No load test was run."
    # The level that others disturbed most decides: isolated is a claim about every one.
    phases = [result.phase for result in load.levels]
    phase = max(phases, key=lambda phase: phase.others_cpu_share or 0.0)
    share = "an unknown share" if phase.others_cpu_share is None else percent(phase.others_cpu_share)
    if verdict.is_isolated:
        return "isolated", f"Timed alone; other programs used {share} of the processors."
    if phase.together_with:
        return "contended", f"Timed together with {', '.join(phase.together_with)}."
    foreign = max(phase.foreign_requests for phase in phases)
    if foreign:
        return "contended", f"Up to {foreign} requests of others ran beside it."
    return "contended", f"Other work ran meanwhile: other programs used {share} of the processors."


def _sentence(verdict: Verdict) -> str:
    if not verdict.rulings:
        return "Nothing was required, so there is nothing to decide."
    counts = {outcome: sum(r.outcome is outcome for r in verdict.rulings) for outcome in Outcome}
    parts = [f"{OUTCOMES[outcome]} on {count}" for outcome, count in counts.items() if count]
    text = f"{', '.join(parts)} of {len(verdict.rulings)} requirements."
    return text[0].upper() + text[1:]


def headline(results: Results) -> str:
    """The one sentence for somebody who reads nothing else."""
    go = [v.candidate for v in results.verdicts if v.decision is Decision.GO]
    no_go = [v.candidate for v in results.verdicts if v.decision is Decision.NO_GO]
    unsure = [v.candidate for v in results.verdicts if v.decision is Decision.NOT_ENOUGH_DATA]
    if not results.experiment.requirements:
        return "No requirements were stated: below is what was measured."
    parts = []
    if go:
        parts.append(f"Go: {', '.join(go)} met every requirement.")
    if unsure:
        parts.append(f"Not enough data yet on {', '.join(unsure)}.")
    if no_go:
        parts.append(f"No-go: {', '.join(no_go)} broke at least one requirement.")
    return " ".join(parts)


def requirement_rows(results: Results) -> list[RequirementRow]:
    """The requirements sheet with what was found."""
    rows: list[RequirementRow] = []
    for place, asked in enumerate(results.experiment.parsed_requirements):
        score = next((s for s in results.scores if s.probe == asked.subject), None)
        scale = None if score is None else score.scale
        title = asked.subject if score is None else score.title
        cells = tuple(_ruling_cell(results, v, v.rulings[place], scale) for v in results.verdicts)
        rows.append(RequirementRow(requirement_words(asked, title, scale), cells))
    return rows


def _ruling_cell(results: Results, verdict: Verdict, ruling: Ruling, scale: Scale | None) -> Cell:
    metric = ruling.requirement.metric
    detail = []
    if ruling.margin is not None:
        detail.append(f"margin {signed(quantity(abs(ruling.margin), metric, scale), ruling.margin)}")
    if ruling.count:
        detail.append(f"{ruling.count} {ruling.unit}")
    if ruling.advice:
        detail.append(ruling.advice)
    return Cell(
        quantity(ruling.value, metric, scale),
        interval_words(ruling.interval, metric, scale),
        "; ".join(detail),
        ruling.outcome.value,
        OUTCOMES[ruling.outcome],
        mode_of(results, verdict)[0] if metric in _TIMED and ruling.value is not None else "",
    )


def signed(text: str, value: float) -> str:
    """The text of a size with the value's sign; what is shown as zero has none."""
    if not any(digit in text for digit in "123456789"):
        return text
    return f"+{text}" if value >= 0 else f"−{text}"


def score_rows(results: Results, probes: Sequence[str]) -> list[ScoreRow]:
    """The probes with every candidate's score."""
    rows: list[ScoreRow] = []
    for probe in probes:
        found = [results.score(candidate.name, probe) for candidate in results.experiment.candidates]
        first = next((score for score in found if score is not None), None)
        if first is None:
            continue
        about = results.manifest["probes"][probe]
        cells = []
        for score in found:
            if score is None:
                cells.append(Cell(NONE))
                continue
            count = 0 if score.summary.estimate is None else score.summary.estimate.count
            lost = [f"{score.summary.unscored} unscored"] if score.summary.unscored else []
            lost += [f"{score.summary.failed} failed"] if score.summary.failed else []
            cells.append(
                Cell(
                    score_words(score.summary.estimate, score.scale),
                    detail=", ".join([f"{count} items", *lost]),
                )
            )
        how = f"{probe}, {about['evaluator']}; {_reading_of(first)}"
        rows.append(ScoreRow(about["title"], how, about["caution"], tuple(cells)))
    return rows


def _reading_of(score: ProbeScore) -> str:
    """Which values are good ones."""
    if score.is_higher_better is not None:
        return "higher is better" if score.is_higher_better else "lower is better"
    return "zero is no lean" if score.scale is Scale.NUMBER else "one half is no lean"


def difference_rows(results: Results) -> list[DifferenceRow]:
    """The paired differences with a reading in words."""
    rows: list[DifferenceRow] = []
    for difference in results.differences:
        score = next(s for s in results.scores if s.probe == difference.probe)
        compared = difference.comparison
        value = quantity(abs(compared.difference.value), Metric.QUALITY, score.scale)
        rows.append(
            DifferenceRow(
                difference.title,
                f"{difference.first} − {difference.second}",
                signed(value, compared.difference.value),
                interval_words(compared.difference.interval, Metric.QUALITY, score.scale),
                "below 0.001" if difference.adjusted_p < 0.001 else f"{difference.adjusted_p:.3f}",
                _reading(difference),
                _difference_detail(difference, score.scale),
            )
        )
    return rows


def _reading(difference: Difference) -> str:
    if difference.adjusted_p >= SIGNIFICANT:
        return "no difference shown"
    higher = difference.first if difference.comparison.difference.value > 0 else difference.second
    return f"{higher} scores higher"


def _difference_detail(difference: Difference, scale: Scale) -> str:
    compared = difference.comparison
    items = f"{compared.flipped} of {compared.difference.count} items differ"
    if difference.detectable is None:
        return items
    least = quantity(difference.detectable, Metric.QUALITY, scale)
    return f"{items}; a true difference of {least} would have been seen in 4 of 5 such tests"


def warnings(results: Results) -> list[str]:
    """What a reader must know before believing any number."""
    found = []
    if results.manifest["state"] != "done":
        found.append("The run was cut short: this is what was done until then.")
    lost = sum(score.summary.failed for score in results.scores)
    if lost:
        found.append(f"{lost} answers could not be had or judged. They are in no mean.")
    found += _bad_rows(results)
    if results.experiment.mode is Mode.CONTENDED and len(results.loads) > 1:
        found.append("Latencies are contended, as asked: the candidates were under load at the same time.")
    elif any(not v.is_isolated and results.load(v.candidate) is not None for v in results.verdicts):
        found.append(
            "Latencies are contended: something else used this machine during the load test, so a quiet machine may "
            "be faster. Quality does not depend on it."
        )
    return found


def _bad_rows(results: Results) -> list[str]:
    """Rows of a team's own file that could not be asked, by line and reason."""
    said = []
    for name in results.experiment.scored_names:
        bad = results.manifest["probes"].get(name, {}).get("bad_rows", [])
        more = f", and {len(bad) - _SHOWN_ROWS} more" if len(bad) > _SHOWN_ROWS else ""
        if bad:
            rows = "1 row was" if len(bad) == 1 else f"{len(bad)} rows were"
            said.append(f"{name}: {rows} left out: {'; '.join(bad[:_SHOWN_ROWS])}{more}.")
    return said


def names_of(results: Results) -> Sequence[str]:
    """The candidates' names in the experiment's order: a candidate's place is its colour and mark."""
    return [candidate.name for candidate in results.experiment.candidates]
