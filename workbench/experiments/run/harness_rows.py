"""lm-evaluation-harness's items brought in as rows, so that its scores count as those of a probe do."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from workbench.core.errors import ConfigurationError
from workbench.experiments.harness import HarnessItem, read_items
from workbench.experiments.record.rows import SampleRow, sample_id
from workbench.experiments.spec.harness import HarnessSpec


def harness_rows(spec: HarnessSpec, done: Container[str] = ()) -> list[SampleRow]:
    """A row for each item of each candidate with a folder that is not `done`; texts stay in the harness's own files.

    Raises: ConfigurationError naming a folder without samples, or without this task and metric.
    """
    return [
        _row(spec, name, item)
        for name, path in spec.folders.items()
        if name not in done
        for item in _items(spec, Path(path))
    ]


def _items(spec: HarnessSpec, folder: Path) -> list[HarnessItem]:
    found = read_items(folder)
    items = [item for item in found if (item.task, item.metric) == (spec.task, spec.metric)]
    if not items:
        known = ", ".join(sorted({f"{item.task} {item.metric}" for item in found}))
        raise ConfigurationError(
            f"{spec.name}: {folder} has no {spec.metric} of {spec.task}. It has: {known}."
        )
    return items


def _row(spec: HarnessSpec, candidate: str, item: HarnessItem) -> SampleRow:
    return SampleRow(
        id=sample_id(candidate, spec.name, item.id, 0),
        candidate=candidate,
        probe=spec.name,
        sample=item.id,
        repeat=0,
        evaluator=spec.evaluator,
        value=item.value,
        reason="",
        failure="",
        # Says which item it is where experiments are compared; the item's text is not brought in.
        prompt=f"{item.task} {item.id} {item.document}".strip(),
        choices=(),
        expected=(),
    )


def about_harness(spec: HarnessSpec, rows: Iterable[SampleRow]) -> dict[str, Any]:
    """What the manifest says of it, in the form of a probe's entry."""
    return {
        "title": spec.title,
        "items": len({row.sample for row in rows}),
        "bad_rows": [],
        "data_sha256": "",
        "source": f"lm-evaluation-harness, task {spec.task}",
        "licence": "",
        "caution": "",
        "is_masked": False,
        "evaluator": spec.evaluator,
        "settings": {},
        "likelihood_prompt": None,
    }
