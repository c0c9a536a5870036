"""Evaluation sets: read from files, pasted text or data frames; bad rows named, good rows kept."""

from __future__ import annotations

from evaluators.data.builtin import BuiltinSet, builtin_sets, licence_text, load_builtin
from evaluators.data.evaluation_set import (
    EvaluationSet,
    paste_evaluation_set,
    read_evaluation_set,
    sample_from_row,
    sample_to_row,
    samples_from_table,
    samples_to_frame,
)
from evaluators.data.mapping import ColumnMapping, suggest_mapping
from evaluators.data.table import BadRow, RawRow, RawTable, frame_table, pasted_table, read_table

__all__ = [
    "BadRow",
    "BuiltinSet",
    "ColumnMapping",
    "EvaluationSet",
    "RawRow",
    "RawTable",
    "builtin_sets",
    "frame_table",
    "licence_text",
    "load_builtin",
    "paste_evaluation_set",
    "pasted_table",
    "read_evaluation_set",
    "read_table",
    "sample_from_row",
    "sample_to_row",
    "samples_from_table",
    "samples_to_frame",
    "suggest_mapping",
]
