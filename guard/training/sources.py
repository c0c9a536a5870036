"""What each data file is used for: which rows, how many of them, and which are kept out of training.

Three sets are for tuning only, because they ask what the guard must not refuse: `coconot-contrast-eval`, `jbb-benign`
and `cse-frr-benign`. `strongreject`, `dangerousqa` and `benign-mtbench` are held out whole, so that the report has
sources the network never saw; of the others a share of the groups is held out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from guard.training.rows import Row, Split, read_rows, stable_fraction


def _own_group(row: Row) -> str:
    return row.group


def _by_note(row: Row) -> str:
    return row.note


def _by_goal(row: Row) -> str:
    """JailbreakBench goals are numbered alike in all files made from them."""
    return f"jbb-goal-{row.group.rsplit('-', 1)[1]}"


def _all(row: Row) -> bool:
    return True


def _stated_crimes(row: Row) -> bool:
    """XSafety's other topics label ordinary worries and opinions as unsafe."""
    return row.note in {"Crimes_And_Illegal_Activities_en", "Unsafe_Instruction_Topic_n"}


def _answerable(row: Row) -> bool:
    """CoCoNot's stray chats and its invented facts are unsafe by another policy than hazards."""
    return row.note in {
        "dangerous or sensitive topics",
        "privacy violations",
        "triggers for offensive language",
    }


@dataclass(frozen=True, slots=True)
class Source:
    """The use of one file. `hold` and `tune` are shares of its groups; the rest trains.

    `most` caps the training rows of each label; `hold_notes` are held out whole.
    """

    name: str
    hold: float = 0.0
    tune: float = 0.0
    most: int = 100_000
    hold_notes: frozenset[str] = frozenset()
    weight: float = 1.0
    group: Callable[[Row], str] = _own_group
    keep: Callable[[Row], bool] = _all


SOURCES = (
    Source("coconot-contrast-eval", tune=1.0),
    Source("jbb-benign", tune=1.0),
    Source("cse-frr-benign", tune=1.0),
    Source("strongreject", hold=1.0),
    Source("dangerousqa", hold=1.0),
    Source("benign-mtbench", hold=1.0),
    Source("jbb-harmful", hold=0.4, group=_by_goal),
    Source("jbb-jailbreak-prompts", hold=0.4, group=_by_goal),
    Source("lg2-labelled-responses", hold=0.3, tune=0.1, group=_by_goal),
    Source("gptfuzz-responses-train", hold=0.15, tune=0.1, most=550, group=_by_note),
    Source("advbench", tune=0.05),
    Source("harmbench", hold=0.15, weight=1.5),
    Source("tdc2023", hold=0.2),
    Source("catqa", hold=0.15, weight=1.5),
    Source("harmfulqa", hold=0.08, tune=0.02, most=1400),
    Source("xsafety-en", hold=0.1, weight=0.7, keep=_stated_crimes),
    Source("ailuminate-en-a", hold=0.15, tune=0.03, weight=2.0),
    Source("openai-moderation-a", hold=0.2, tune=0.05, weight=2.0),
    Source("hatecheck", most=800, weight=0.7, hold_notes=frozenset({"counter_ref_nh", "derog_dehum_h"})),
    Source("davidson-hate", hold=0.05, most=450, weight=0.7),
    Source("cse-interpreter-S14", hold=0.3, most=220),
    Source("coconot-safety-eval", hold=0.15, weight=1.5, keep=_answerable),
    Source("coconot-pref-benign", hold=0.12, tune=0.03, weight=1.5),
    Source("benign-arena", hold=0.3, tune=0.1, weight=2.0),
    Source("benign-selfinstruct", hold=0.2, weight=2.0),
    Source("benign-gpteacher-roleplay", hold=0.12, tune=0.04, most=1100),
    Source("benign-gsm8k", hold=0.15, most=250),
)

MOST_KEPT = 160  # rows of one source and label that are tuned or reported on, other than the look-alikes


def split_of(source: Source, group: str, note: str = "") -> Split:
    """The split of a group; the same for every file that shares the group and the share held out."""
    place = stable_fraction(group)
    if place < source.hold or note in source.hold_notes:
        return Split.HOLD
    return Split.TUNE if place < source.hold + source.tune else Split.TRAIN


def _capped(rows: list[Row], most: int) -> list[Row]:
    """At most `most` rows of each label, by a draw that depends on the texts alone."""
    ordered = sorted(rows, key=lambda row: stable_fraction(row.text))
    return [row for label in (False, True) for row in [r for r in ordered if r.is_unsafe is label][:most]]


def _placed(source: Source, rows: list[Row]) -> dict[Split, list[Row]]:
    placed: dict[Split, list[Row]] = {split: [] for split in Split}
    for row in rows:
        if source.keep(row):
            group = source.group(row)
            split = split_of(source, group, row.note)
            placed[split].append(replace(row, group=group, weight=source.weight))
    return placed


def read_sources(data: Path) -> dict[Split, list[Row]]:
    """All rows of the data folder by split, capped and weighted, in a fixed order."""
    splits: dict[Split, list[Row]] = {split: [] for split in Split}
    for source in SOURCES:
        placed = _placed(source, read_rows(data / f"{source.name}.jsonl"))
        splits[Split.TRAIN] += _capped(placed[Split.TRAIN], source.most)
        most_tuned = len(placed[Split.TUNE]) if source.tune == 1.0 else MOST_KEPT
        splits[Split.TUNE] += _capped(placed[Split.TUNE], most_tuned)
        splits[Split.HOLD] += _capped(placed[Split.HOLD], 2 * MOST_KEPT if source.hold == 1.0 else MOST_KEPT)
    return splits
