"""The project's documents and what stands in them: links, code blocks, and the files readers are told to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "assets").rglob("*.md")])

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|snippet): (?P<about>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<to>[^)\s]+)\)|!\[[^\]]*\]\((?P<picture>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `file` is the name a reader is told to give it; `is_snippet` marks a golden's code."""

    document: Path
    language: str
    text: str
    file: str | None
    is_snippet: bool

    def commands(self) -> str:
        """What a reader types: of a console session the lines after `$`, else everything."""
        if self.language != "console":
            return self.text
        lines, is_typed = [], False
        for line in self.text.splitlines():
            is_typed = line.startswith("$ ") or is_typed
            if is_typed:
                lines.append(line.removeprefix("$ "))
            is_typed = is_typed and (line.endswith("\\") or _is_in_quotes("\n".join(lines)))
        return "\n".join(lines) + "\n"


def _is_in_quotes(typed: str) -> bool:
    return typed.count("'") % 2 == 1


def blocks(document: Path) -> list[Block]:
    """The document's fenced blocks, in order."""
    return [
        Block(
            document,
            found["language"],
            found["text"],
            found["about"] if found["mark"] == "file" else None,
            found["mark"] == "snippet",
        )
        for found in _BLOCK.finditer(document.read_text("utf-8"))
    ]


def links(document: Path) -> Iterator[str]:
    """Where the document points to, code left out."""
    text = re.sub(r"`[^`\n]+`", "", _BLOCK.sub("", document.read_text("utf-8")))
    for found in _LINK.finditer(text):
        yield found["to"] or found["picture"]


def anchors(document: Path) -> set[str]:
    """The fragments that headings can be reached by."""
    kept = (
        re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(document.read_text("utf-8"))
    )
    return {heading.strip().replace(" ", "-") for heading in kept}


def name(document: Path) -> str:
    """The document's path from the project's root, for messages and test ids."""
    return document.relative_to(ROOT).as_posix()
