"""The finished classifier on the rows it never saw, as the tables of the model card."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guard.embedded.classifier import CATEGORY_CODES, EmbeddedClassifier, EmbeddedScore
from guard.training.calibrate import LOOK_ALIKES
from guard.training.disguise import leet
from guard.training.metrics import (
    Estimate,
    Labels,
    Metric,
    Scores,
    area_under_roc,
    average_precision,
    estimate,
    f1_at,
    false_positive_rate_at,
    recall_at,
)
from guard.training.rows import Row, Split, category_index

DIRECT = frozenset({
    "strongreject", "dangerousqa", "jbb-harmful", "advbench", "harmbench", "tdc2023", "catqa", "harmfulqa",
    "xsafety-en", "coconot-safety-eval",
})  # fmt: skip
MOST_OF_A_SOURCE = 120  # rows of one source and label that calibrate or are reported on
MOST_LOOK_ALIKES = 400  # of one look-alike source


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what was measured, on what, at which threshold."""

    name: str
    metric: str
    value: Estimate


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with the classifier's scores."""

    rows: list[Row]
    scores: list[EmbeddedScore]

    def where(self, wanted: Callable[[Row], bool]) -> Judged:
        """The part of the rows that are wanted."""
        pairs = [(row, score) for row, score in zip(self.rows, self.scores, strict=True) if wanted(row)]
        return Judged([row for row, _ in pairs], [score for _, score in pairs])

    def of(self, source: str) -> Judged:
        """The rows of one source."""
        return self.where(lambda row: row.source == source)

    @property
    def p_unsafe(self) -> Scores:
        """P(unsafe) of each row."""
        return np.array([score.p_unsafe for score in self.scores])

    @property
    def labels(self) -> Labels:
        """Which rows are unsafe."""
        return np.array([row.is_unsafe for row in self.rows], dtype=np.bool_)

    def measure(self, metric: Metric) -> Estimate:
        """The metric with its interval."""
        return estimate(metric, self.p_unsafe, self.labels)


def judge(classifier: EmbeddedClassifier, rows: Sequence[Row]) -> Judged:
    """Scores for all rows."""
    return Judged(list(rows), classifier.score([(row.prompt, row.response) for row in rows]))


def sampled(rows: Sequence[Row]) -> list[Row]:
    """At most `MOST_OF_A_SOURCE` rows of each source and label (more look-alikes), by a fixed draw."""
    mixed = list(rows)
    random.Random(1).shuffle(mixed)
    taken: dict[tuple[str, bool], int] = {}
    kept = []
    for row in mixed:
        key = (row.source, row.is_unsafe)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= (MOST_LOOK_ALIKES if row.source in LOOK_ALIKES else MOST_OF_A_SOURCE):
            kept.append(row)
    return kept


def _both_labels(name: str, judged: Judged, threshold: float) -> list[Line]:
    return [
        Line(name, "F1", judged.measure(f1_at(threshold))),
        Line(name, "recall", judged.measure(recall_at(threshold))),
        Line(name, "false positive rate", judged.measure(false_positive_rate_at(threshold))),
        Line(name, "AUPRC", judged.measure(average_precision)),
        Line(name, "AUROC", judged.measure(area_under_roc)),
    ]


def _one_label(name: str, judged: Judged, threshold: float) -> list[Line]:
    """Recall for unsafe rows, false positive rate for safe ones; nothing for no rows."""
    if not judged.rows:
        return []
    if judged.rows[0].is_unsafe:
        return [Line(name, "recall", judged.measure(recall_at(threshold)))]
    return [Line(name, "false positive rate", judged.measure(false_positive_rate_at(threshold)))]


def prompt_lines(held: Judged, tuned: Judged, threshold: float) -> list[Line]:
    """Prompts: direct requests, jailbreaks, ordinary ones, look-alikes, and mixed sets."""
    direct = held.where(lambda row: row.source in DIRECT)
    ordinary = held.where(lambda row: row.source.startswith("benign-"))
    lines = _one_label("direct harmful requests, all held out", direct, threshold)
    for source in sorted(DIRECT):
        lines += _one_label(f"- {source}", direct.of(source), threshold)
    for name in ("ailuminate-en-a", "jbb-jailbreak-prompts", "cse-interpreter-S14"):
        lines += _one_label(name, held.of(name), threshold)
    lines += _one_label("ordinary requests, all held out", ordinary, threshold)
    lines += _one_label("coconot-pref-benign", held.of("coconot-pref-benign"), threshold)
    look_alikes = tuned.where(lambda row: row.source in LOOK_ALIKES)
    lines += _one_label("look-alikes (the threshold was chosen on them)", look_alikes, threshold)
    for source in sorted(LOOK_ALIKES):
        lines += _one_label(f"- {source}", look_alikes.of(source), threshold)
    for name in ("openai-moderation-a", "davidson-hate"):
        lines += _both_labels(name, held.of(name), threshold)
    own = held.where(lambda row: row.source.startswith("own/") and row.response is None)
    pairs = own.of("own/contrast-pairs")
    families = own.where(lambda row: row.source != "own/contrast-pairs")
    lines += _both_labels("own families kept out of training", families, threshold)
    return lines + _both_labels("own hand-written contrast pairs kept out of training", pairs, threshold)


def response_lines(held: Judged, threshold: float) -> list[Line]:
    """Answers: by source, to questions that no training row has."""
    lines: list[Line] = []
    for name in ("gptfuzz-responses-train", "lg2-labelled-responses"):
        lines += _both_labels(name, held.of(name), threshold)
    helpful = held.where(lambda row: row.source in {"own/model-answers", "own/helpful", "own/refusals"})
    lines += _one_label("ordinary answers and refusals", helpful, threshold)
    short = held.where(lambda row: row.source in {"own/refusals", "own/complying"})
    return lines + _both_labels("own short refusals and compliance", short, threshold)


def category_lines(held: Judged) -> list[Line]:
    """How often the highest hazard is one of the row's own, over unsafe prompts with a known hazard."""
    named = held.where(lambda row: row.is_unsafe and bool(row.categories) and row.response is None)
    foreign = named.where(lambda row: not row.source.startswith("own/"))
    lines = [_top_one("all sources but our own", foreign)]
    sources = ("ailuminate-en-a", "openai-moderation-a", "strongreject", "catqa")
    lines += [_top_one(f"- {source}", foreign.of(source)) for source in sources]
    for code in CATEGORY_CODES:
        part = foreign.where(_is_only(code))
        if part.rows:
            lines.append(_top_one(f"- {code}", part))
    return lines


def _is_only(code: str) -> Callable[[Row], bool]:
    return lambda row: row.categories == (category_index(code),)


def _top_one(name: str, judged: Judged) -> Line:
    hits = np.array([
        CATEGORY_CODES.index(max(score.categories, key=score.categories.__getitem__)) in row.categories
        for row, score in zip(judged.rows, judged.scores, strict=True)
    ])  # fmt: skip
    return Line(
        name, "top-1", estimate(recall_at(0.5), hits.astype(np.float64), np.ones(len(hits), dtype=np.bool_))
    )


def disguise_lines(classifier: EmbeddedClassifier, rows: Sequence[Row], threshold: float) -> list[Line]:
    """Short direct requests in disguise, and harmless ones in the same disguise."""
    chance = random.Random(2)
    short = [row for row in rows if row.response is None and len(row.prompt) < 200]
    unsafe = [row for row in short if row.source in DIRECT][:100]
    safe = [row for row in short if row.source.startswith(("benign-", "coconot-pref"))][:100]
    changes: dict[str, Callable[[str], str]] = {
        "plain": lambda text: text,
        "upper case": str.upper,
        "leet": lambda text: leet(text, chance),
        "spaced letters": lambda text: "  ".join(" ".join(word) for word in text.split()),
        "zero-width characters": lambda text: "\u200b".join(text),
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
    }
    lines = []
    for name, change in changes.items():
        for side in (unsafe, safe):
            changed = [replace(row, prompt=change(row.prompt)) for row in side]
            lines += _one_label(name, judge(classifier, changed), threshold)
    return lines


def report_tables(classifier: EmbeddedClassifier, splits: dict[Split, list[Row]]) -> dict[str, list[Line]]:
    """All tables by title."""
    calibration = classifier.calibration
    held = judge(classifier, sampled(splits[Split.HOLD]))
    tuned = judge(classifier, [row for row in sampled(splits[Split.TUNE]) if row.source in LOOK_ALIKES])
    return {
        "Prompts": prompt_lines(held, tuned, calibration.prompt_threshold),
        "Answers": response_lines(held, calibration.response_threshold),
        "Hazard": category_lines(held),
        "Disguise": disguise_lines(classifier, held.rows, calibration.prompt_threshold),
    }
