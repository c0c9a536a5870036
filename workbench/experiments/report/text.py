"""The verdict for a terminal."""

from __future__ import annotations

from workbench.experiments.report import sections
from workbench.experiments.results.outcome import Results


def verdict_text(results: Results) -> str:
    """Headline, warnings, every requirement and score of every candidate, and the differences; plain text."""
    lines = [results.experiment.name, "", sections.headline(results), *sections.warnings(results)]
    rows = sections.requirement_rows(results)
    for place, card in enumerate(sections.cards(results)):
        lines += ["", f"{card.name}: {card.decision_words} ({card.mode})"]
        for row in rows:
            cell = row.cells[place]
            detail = f"; {cell.detail}" if cell.detail else ""
            lines.append(f"  {cell.outcome_words:<16} {row.asked}: {cell.value} ({cell.interval}){detail}")
    scores = sections.score_rows(results, results.experiment.scored_names)
    if scores:
        lines += ["", f"Scores, of {', '.join(sections.names_of(results))}:"]
    lines += [f"  {row.title}: {' | '.join(cell.value for cell in row.cells)}" for row in scores]
    differences = sections.difference_rows(results)
    if differences:
        lines += ["", "Differences, first minus second:"]
    lines += [f"  {d.title}: {d.pair}: {d.value} ({d.interval}), p {d.p}: {d.reading}" for d in differences]
    return "\n".join(lines) + "\n"
