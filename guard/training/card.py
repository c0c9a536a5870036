"""The model card: what the guard is, what it was made of, and the measured tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources

from guard.embedded.calibration import Calibration
from guard.training.evaluate import Line
from guard.training.rows import Row, Split
from guard.training.sources import SOURCES


def table(lines: Sequence[Line]) -> str:
    """The lines as a Markdown table."""
    body = [f"| {line.name} | {line.metric} | {line.value} | {line.value.rows} |" for line in lines]
    return "\n".join(["| set | metric | value [95 % interval] | rows |", "|---|---|---|---|", *body])


def data_table(splits: Mapping[Split, Sequence[Row]], hashes: Mapping[str, str]) -> str:
    """Rows used of each source by split, and the SHA-256 of its file."""
    counts = {split: Counter(_family(row) for row in rows) for split, rows in splits.items()}
    lines = ["| source | train | tune | held out | SHA-256 of the file |", "|---|---|---|---|---|"]
    for name in [*sorted(source.name for source in SOURCES), "own rows"]:
        numbers = " | ".join(str(counts[split][name]) for split in Split)
        lines.append(f"| {name} | {numbers} | {hashes.get(name, '')[:16]} |")
    return "\n".join(lines)


def _family(row: Row) -> str:
    return "own rows" if row.source.startswith("own/") else row.source


def model_card(
    calibration: Calibration,
    tables: Mapping[str, Sequence[Line]],
    data: str,
    facts: Mapping[str, str],
) -> str:
    """The card's text, from the template `card.md` beside this file."""
    template = (resources.files("guard.training") / "card.md").read_text(encoding="utf-8")
    filled = {
        "VERSION": calibration.version,
        "PROMPT_THRESHOLD": f"{calibration.prompt_threshold:.2f}",
        "RESPONSE_THRESHOLD": f"{calibration.response_threshold:.2f}",
        "DATA": data,
        "FACTS": "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        **{title.upper(): table(lines) for title, lines in tables.items()},
    }
    for name, text in filled.items():
        template = template.replace("{{" + name + "}}", text)
    return template
