"""What the page says, read from its sources, and which of it a language lacks.

    python -m scripts.texts de          the texts without a translation, as lines for the language's file
    python -m scripts.texts de FILE     the same for a file elsewhere

A text is a literal of the page's modules: a whole one, or what stands between the tags of its markup. What is filled in
at run time is a hole, {1}, {2}: `f"You are number {place}"` is "You are number {1}". In scripts it is what `wb.text` is
given.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from workbench.ui.assets import script_texts
from workbench.ui.languages import HOLE, read_language, shipped_folder

_ROOT = Path(__file__).parents[1]
_MODULES = ("workbench/ui/**/*.py", "workbench/core/params.py")
_TAG = re.compile(r"<[^<>]*>")
_READ_OUT = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')
_NO_TEXT = frozenset(
    {"elem_id", "elem_classes", "js", "api_visibility", "show_progress", "pattern", "param", "type"}
)
"""Arguments that nobody reads."""
_READS_LIKE_TEXT = re.compile(r"(?:[A-Z“…]|\{\d+\} ).*[a-z]{2}|[a-z]+ [a-z]+", re.DOTALL)
_READS_LIKE_CODE = re.compile(r"[=<>\\{}\[\]|#$@_]|\bwb-|^[\w.-]+/[\w./-]+$|::|--|var\(")


def texts_of_the_page() -> frozenset[str]:
    """Every text that a language may translate: all that it says, and more that only looks like it."""
    modules = (path for pattern in _MODULES for path in sorted(_ROOT.glob(pattern)))
    read = [text for path in modules for text in texts_of_a_module(path.read_text("utf-8"))]
    return frozenset((*read, *script_texts()))


def texts_of_a_module(source: str) -> Iterator[str]:
    """The texts of its literals, without docstrings and arguments that nobody reads."""
    tree = ast.parse(source)
    unread = {id(part) for node in ast.walk(tree) for part in _unread(node)}
    for node in _literals(tree, unread):
        yield from _pieces(_written(node))


def _unread(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return (node.value,)
    if isinstance(node, ast.keyword) and node.arg in _NO_TEXT:
        return ast.walk(node.value)
    return ()


def _literals(node: ast.AST, unread: set[int]) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Strings, the whole ones only: a filled-in one is a literal, what is filled in may hold others."""
    if id(node) in unread:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
        return
    if isinstance(node, ast.JoinedStr):
        yield node
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _literals(part.value, unread)
        return
    for child in ast.iter_child_nodes(node):
        yield from _literals(child, unread)


def _written(node: ast.Constant | ast.JoinedStr) -> str:
    """The literal with its holes, unnumbered."""
    parts = node.values if isinstance(node, ast.JoinedStr) else (node,)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def _pieces(literal: str) -> Iterator[str]:
    """The texts of a literal: itself, or those of its markup, each with its own holes numbered."""
    for piece in (*_TAG.split(literal), *_READ_OUT.findall(literal)):
        text = _numbered(unescape(piece).strip())
        if re.search(r"[A-Za-z]{2}", HOLE.sub("", text)):
            yield text


def _numbered(text: str) -> str:
    """`{}` and `{name}` as {1}, {2}, in their order."""
    count = iter(range(1, 100))
    return re.sub(r"\{\w*\}", lambda _: f"{{{next(count)}}}", text)


def missing(translated: Iterable[str]) -> list[str]:
    """The page's texts that read like sentences or names and are not among these, sorted."""
    left = texts_of_the_page() - set(translated)
    return sorted(text for text in left if _READS_LIKE_TEXT.match(text)
                  and not _READS_LIKE_CODE.search(HOLE.sub("", text)))  # fmt: skip


def stale(translated: Iterable[str]) -> list[str]:
    """Those that the page does not say any more, sorted."""
    return sorted(set(translated) - texts_of_the_page())


def main(arguments: list[str]) -> int:
    """Prints what is missing and what is stale; 0 when nothing is stale."""
    if not arguments:
        sys.stderr.write(
            "python -m scripts.texts de: a language, and its file where it is not one of ours.\n"
        )
        return 2
    path = Path(arguments[1]) if len(arguments) > 1 else shipped_folder() / f"{arguments[0]}.json"
    texts = read_language(path).texts if path.is_file() else {}
    lacking, old = missing(texts), stale(texts)
    sys.stdout.writelines(f'  {json.dumps(text, ensure_ascii=False)}: "",\n' for text in lacking)
    sys.stderr.write(f"{path}: {len(texts)} texts, {len(lacking)} missing, {len(old)} no longer said\n")
    sys.stderr.writelines(f"no longer said: {text}\n" for text in old)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
