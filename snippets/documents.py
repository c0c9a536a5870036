"""Code in the documentation: blocks between markers hold an example's code, as the golden files do.

A block begins with `<!-- snippet: EXAMPLE LANGUAGE CLIENT -->` and ends with `<!-- end of snippet -->`.
`python -m snippets.documents` fills them, `python -m snippets.documents --check` fails when one differs.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from snippets.examples import EXAMPLES
from snippets.languages import LANGUAGES
from snippets.render import render

DOCUMENTS = Path(__file__).resolve().parent.parent / "docs"
_BLOCK = re.compile(
    r"<!-- snippet: (?P<example>\S+) (?P<language>\S+) (?P<client>\S+) -->\n.*?<!-- end of snippet -->",
    re.DOTALL,
)


def filled(text: str) -> str:
    """`text` with every marked block holding its example's code. Raises: KeyError for an unknown example."""
    return _BLOCK.sub(_block, text)


def _block(found: re.Match[str]) -> str:
    example, language, client = found["example"], found["language"], found["client"]
    code = render(EXAMPLES[example], language, client).code.rstrip("\n")
    return (
        f"<!-- snippet: {example} {language} {client} -->\n"
        f"```{LANGUAGES[language].editor_language}\n{code}\n```\n"
        "<!-- end of snippet -->"
    )


def stale(root: Path = DOCUMENTS) -> list[Path]:
    """The documents below `root` of which a block differs from its example."""
    return [path for path in sorted(root.rglob("*.md")) if filled(_read(path)) != _read(path)]


def write(root: Path = DOCUMENTS) -> None:
    """Fills the blocks of every document below `root`."""
    for path in stale(root):
        path.write_text(filled(_read(path)), encoding="utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Writes or checks; the exit code is 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m snippets.documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and change nothing")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    paths = stale()
    if paths:
        lines = [f"differs: {path.relative_to(DOCUMENTS.parent)}" for path in paths]
        sys.stderr.write("\n".join([*lines, "Run `python -m snippets.documents` and review the diff.", ""]))
    return 1 if paths else 0


if __name__ == "__main__":
    raise SystemExit(main())
