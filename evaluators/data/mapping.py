"""Which column of a file means what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from workbench.core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """For each part of a sample the column it is read from, or None. Columns that mean nothing become metadata."""

    id: str | None = None
    prompt: str | None = None
    messages: str | None = None
    expected: str | None = None
    choices: str | None = None
    tags: str | None = None
    metadata: str | None = None

    def check(self, columns: Sequence[str]) -> None:
        """Nothing, where every named column exists, none has two meanings, and there is something to ask.

        Raises: InvalidRequest naming the part of the mapping at fault.
        """
        used = {field.name: getattr(self, field.name) for field in fields(self)}
        named = [column for column in used.values() if column is not None]
        for part, column in used.items():
            if column is not None and column not in columns:
                raise InvalidRequest(
                    f"The mapping's column for {part} is not in the data.", param=f"mapping.{part}"
                )
            if column is not None and named.count(column) > 1:
                raise InvalidRequest(
                    f"The column for {part} has a second meaning, too.", param=f"mapping.{part}"
                )
        if self.prompt is None and self.messages is None and self.choices is None:
            raise InvalidRequest("Say which column holds the prompt.", param="mapping.prompt")


_KNOWN_NAMES = {
    "id": ("id", "uid", "key", "question_id", "example_id"),
    "prompt": ("prompt", "question", "input", "instruction", "query", "text", "goal", "problem", "user"),
    "messages": ("messages", "conversation", "chat"),
    "expected": (
        "expected",
        "answer",
        "target",
        "output",
        "reference",
        "label",
        "solution",
        "ideal",
        "completion",
    ),
    "choices": ("choices", "options", "candidates"),
    "tags": ("tags", "tag", "category", "topic", "subject"),
    "metadata": ("metadata", "meta"),
}


def suggest_mapping(columns: Sequence[str]) -> ColumnMapping:
    """The mapping that the columns' names speak for: the contract's own names first, then what people often use.

    A file of a single column is taken for prompts.
    """
    by_name = {column.strip().casefold().replace(" ", "_"): column for column in reversed(columns)}
    found = {
        part: next((by_name[name] for name in names if name in by_name), None)
        for part, names in _KNOWN_NAMES.items()
    }
    if found["messages"] is not None and "prompt" not in by_name:
        found["prompt"] = None
    if len(columns) == 1 and not any(found.values()):
        found["prompt"] = columns[0]
    return ColumnMapping(**found)
