"""One labelled text, and the files it comes from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Split(StrEnum):
    """What a row is used for."""

    TRAIN = "train"
    TUNE = "tune"  # temperature and threshold
    HOLD = "hold"  # only ever reported


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt, or a prompt with the answer that is to be judged."""

    source: str  # the file, or `own/<family>`
    group: str  # rows of one group never lie in different splits
    prompt: str
    response: str | None
    is_unsafe: bool
    categories: tuple[int, ...] = ()  # 0..13 for S1..S14; empty when unknown
    weight: float = 1.0
    note: str = ""

    @property
    def text(self) -> str:
        """The judged turn."""
        return self.prompt if self.response is None else self.response


def category_index(code: str) -> int:
    """0..13 for "S1".."S14"."""
    return int(code.removeprefix("S")) - 1


def read_rows(path: Path) -> list[Row]:
    """The rows of a guard set in JSON lines; the group is the row's own id."""
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):  # a text may hold other line separators
        if not line:
            continue
        record = json.loads(line)
        rows.append(
            Row(
                source=path.stem,
                group=str(record["id"]),
                prompt=record["prompt"] or "",
                response=record.get("response"),
                is_unsafe=record["label"] == "unsafe",
                categories=tuple(category_index(code) for code in record.get("categories") or ()),
                note=record.get("note") or "",
            )
        )
    return rows


def file_sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stable_fraction(key: str) -> float:
    """A number in [0, 1) that depends on `key` alone: splits made with it survive reordering and new rows."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48
