"""The items a candidate got wrong most clearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.base import Scale
from workbench.experiments.record.rows import SampleRow
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.scores import ProbeScore

SHOWN = 3
MOST_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class WorstItem:
    """One item; `masked` stands in for the texts of a set that is offensive by design."""

    head: str
    prompt: str
    given: str
    expected: str
    masked: str = ""


@dataclass(frozen=True, slots=True)
class WorstItems:
    """A probe's."""

    title: str
    rows: tuple[WorstItem, ...]


def worst_items(results: Results) -> list[WorstItems]:
    """For each probe whose scores say right or wrong."""
    groups: list[WorstItems] = []
    for probe in results.experiment.probes:
        about = results.manifest["probes"][probe.name]
        shown: list[WorstItem] = []
        for candidate in results.experiment.candidates:
            score = results.score(candidate.name, probe.name)
            rows = [r for r in results.samples if r.probe == probe.name and r.candidate == candidate.name]
            shown += [_item(row, is_masked=about["is_masked"]) for row in _worst(rows, score)]
        if shown:
            groups.append(WorstItems(about["title"], tuple(shown)))
    return groups


def _worst(rows: Sequence[SampleRow], score: ProbeScore | None) -> list[SampleRow]:
    if score is None:
        return []
    ranked = sorted(rows, key=lambda row: (-_badness(row, score), -_confidence(row), row.id))
    return [row for row in ranked if _badness(row, score) > 0][:SHOWN]


def _badness(row: SampleRow, score: ProbeScore) -> float:
    """How bad the row's value is, above 0 where it is one to look at; 0 without a value."""
    if row.value is None:
        return 0.0
    if score.scale is Scale.NUMBER:
        # Where neither side is better by itself, the strongest leans are shown.
        return abs(row.value) if score.is_higher_better is None else 0.0
    return 1.0 - row.value if score.is_higher_better else row.value


def _confidence(row: SampleRow) -> float:
    """How far the chosen choice is ahead, in nats a byte; 0 for written answers."""
    if len(row.likelihoods) != len(row.choices) or not row.choices:
        return 0.0
    values = sorted(
        (found.logprob / (len(choice.encode()) or 1)
         for found, choice in zip(row.likelihoods, row.choices, strict=True)),
        reverse=True,
    )  # fmt: skip
    return values[0] - values[1]


def _item(row: SampleRow, *, is_masked: bool) -> WorstItem:
    head = f"{row.candidate}, item {row.sample}"
    if is_masked:
        sizes = ", ".join(f"{len(choice)}" for choice in row.choices)
        return WorstItem(head, "", "", "", f"Texts of this set are not shown here ({sizes} characters).")
    return WorstItem(head, _cut(row.prompt), _given(row), f"Expected: {_cut(' | '.join(row.expected))}")


def _given(row: SampleRow) -> str:
    if len(row.likelihoods) == len(row.choices) and row.choices:
        pairs = zip(row.likelihoods, row.choices, strict=True)
        chosen = max(pairs, key=lambda pair: pair[0].logprob / (len(pair[1].encode()) or 1))[1]
        return f"Found likeliest: {_cut(chosen)}"
    return f"Answered: {_cut(row.answer)}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"
