"""The only place where a value becomes source text: Python, JavaScript, JSON and shell.

Each literal is read back as an equal value by its language, whatever the text holds. Characters that an editor or
a terminal would hide, reorder or act upon (controls, bidirectional marks, line separators, lone surrogates) are
escaped; letters, emoji and their joiners stay readable. Long values break over lines, because people read snippets.
"""

from __future__ import annotations

import math
import re
import shlex
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LINE_WIDTH = 88
MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond it JavaScript's numbers skip integers (Number.MAX_SAFE_INTEGER)."""

_JOINERS = frozenset("\u200c\u200d\u3000")
"""Not printable by category, yet part of ordinary text: the joiners of emoji and scripts, the CJK space."""

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Name:
    """Source text that stands for itself: the name of a variable in the snippet."""

    text: str


Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Value: TypeAlias = "Name | bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What differs between the languages; the layout is shared.

    `key` writes a mapping's key; where `has_shorthand`, a variable under its own name is written once. `lines`
    writes a long text of several lines over as many lines, None where a text must stay on one.
    """

    words: Mapping[bool | None, str]
    text: Callable[[str], str]
    integer: Callable[[int], str]
    key: Callable[[str], str]
    lines: Callable[[str, int], str] | None
    step: int
    padding: str
    last_comma: str
    has_shorthand: bool = False

    def entry(self, key: str, item: Value, source: str) -> str:
        """One entry of a mapping, from its key, its value and the value's source text."""
        if self.has_shorthand and isinstance(item, Name) and item.text == key:
            return key
        return f"{self.key(key)}: {source}"


def python_literal(value: Value, indent: int = 0, before: int = 0) -> str:
    """`value` as a Python expression.

    `indent` is the indentation in spaces of the line it starts on, `before` the columns of it already taken.
    Raises: ValueError for infinities and NaN, which JSON cannot carry.
    """
    return _write(value, _PYTHON, indent, before)


def javascript_literal(value: Value, indent: int = 0, before: int = 0) -> str:
    """`value` as a JavaScript expression; `indent`, `before` and errors as for Python.

    Integers that JavaScript's numbers would round are written with JSON.rawJSON (Node 22 and later), so that the
    request carries them unchanged.
    """
    return _write(value, _JAVASCRIPT, indent, before)


def json_literal(value: Value, indent: int = 0, before: int = 0) -> str:
    """`value` as JSON text; `indent`, `before` and errors as for Python."""
    return _write(value, _JSON, indent, before)


def shell_word(text: str) -> str:
    """`text` as one word of a POSIX shell's command line.

    Raises: ValueError for a NUL, which no word can hold.
    """
    if "\0" in text:
        raise ValueError("a shell word cannot hold a NUL character")
    return shlex.quote(text)


def heredoc(text: str) -> str:
    """`text` and a line feed as a here-document in which nothing is expanded: `<<'EOF'`, the lines, `EOF`."""
    mark = "EOF"
    while mark in text.split("\n"):
        mark += "_"
    return f"<<'{mark}'\n{text}\n{mark}"


def _write(value: Value, dialect: _Dialect, indent: int, before: int) -> str:
    """`value` on one line where it fits, else one entry a line."""
    flat = _flat(value, dialect)
    if before + len(flat) < LINE_WIDTH:
        return flat
    inner = indent + dialect.step
    if isinstance(value, str):
        if dialect.lines is None or "\n" not in value[:-1]:
            return flat
        return dialect.lines(value, indent)
    if isinstance(value, Mapping) and value:
        entries = []
        for key, item in value.items():
            source = _write(item, dialect, inner, inner + len(dialect.key(key)) + 2)
            entries.append(dialect.entry(key, item, source))
        return _bracketed("{}", entries, dialect, indent)
    if isinstance(value, Sequence) and value and all(isinstance(item, int | float) for item in value):
        return _bracketed("[]", _filled([_flat(item, dialect) for item in value], inner), dialect, indent)
    if isinstance(value, Sequence) and value:
        return _bracketed("[]", [_write(item, dialect, inner, inner) for item in value], dialect, indent)
    return flat


def _bracketed(brackets: str, entries: list[str], dialect: _Dialect, indent: int) -> str:
    pad = " " * (indent + dialect.step)
    body = ",\n".join(pad + entry for entry in entries)
    return f"{brackets[0]}\n{body}{dialect.last_comma}\n{' ' * indent}{brackets[1]}"


def _filled(numbers: list[str], indent: int) -> list[str]:
    """`numbers` in lines as long as fit: a list of token ids is read by nobody number by number."""
    wrapped = textwrap.wrap(", ".join(numbers), LINE_WIDTH - indent - len(","), break_long_words=False)
    return [line.removesuffix(",") for line in wrapped]


def _flat(value: Value, dialect: _Dialect) -> str:
    """`value` on one line."""
    match value:
        case Name():
            return value.text
        case None | bool():
            return dialect.words[value]
        case int():
            return dialect.integer(value)
        case float():
            if not math.isfinite(value):
                raise ValueError("a request cannot carry an infinity or NaN")
            return float.__repr__(value)
        case str():
            return dialect.text(value)
        case Mapping():
            entries = [dialect.entry(key, item, _flat(item, dialect)) for key, item in value.items()]
            pad = dialect.padding if entries else ""
            return f"{{{pad}{', '.join(entries)}{pad}}}"
        case _:
            return f"[{', '.join(_flat(item, dialect) for item in value)}]"


def _is_readable(character: str) -> bool:
    return character.isprintable() or character in _JOINERS


def _escaped(text: str, quote: str, escape: Callable[[int], str]) -> str:
    """`text` between `quote`s; `escape` writes a code point that must not stand for itself."""
    named = {"\\": "\\\\", quote: "\\" + quote, "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    body = "".join(named.get(char) or (char if _is_readable(char) else escape(ord(char))) for char in text)
    return f"{quote}{body}{quote}"


def _fewest_escapes(text: str) -> str:
    """The quote that `text` holds less often; the double one when it makes no difference."""
    return "'" if text.count('"') > text.count("'") else '"'


def _python_text(text: str) -> str:
    def escape(code: int) -> str:
        if code < 0x100:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return _escaped(text, _fewest_escapes(text), escape)


def _javascript_text(text: str) -> str:
    def escape(code: int) -> str:
        return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"

    return _escaped(text, _fewest_escapes(text), escape)


def _json_text(text: str) -> str:
    def escape(code: int) -> str:
        if code < 0x10000:
            return f"\\u{code:04x}"
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"

    return _escaped(text, '"', escape)


def _javascript_integer(number: int) -> str:
    digits = int.__repr__(number)
    return digits if abs(number) <= MAX_SAFE_INTEGER else f'JSON.rawJSON("{digits}")'


def _javascript_key(key: str) -> str:
    if key == "__proto__":  # as a plain key it would set the object's prototype
        return '["__proto__"]'
    return key if _IDENTIFIER.fullmatch(key) else _javascript_text(key)


def _python_lines(text: str, indent: int) -> str:
    """Adjacent literals in parentheses, which Python joins."""
    parts = [line + "\n" for line in text.split("\n")]
    parts[-1] = parts[-1].removesuffix("\n")
    pad = " " * (indent + 4)
    body = "\n".join(pad + _python_text(part) for part in parts if part != "")
    return f"(\n{body}\n{' ' * indent})"


def _javascript_lines(text: str, indent: int) -> str:
    """An array of the lines, joined."""
    parts = [_javascript_text(line) for line in text.split("\n")]
    return _bracketed("[]", parts, _JAVASCRIPT, indent) + '.join("\\n")'


_PYTHON = _Dialect(
    words={None: "None", True: "True", False: "False"},
    text=_python_text,
    integer=int.__repr__,
    key=_python_text,
    lines=_python_lines,
    step=4,
    padding="",
    last_comma=",",
)

_JSON = _Dialect(
    words={None: "null", True: "true", False: "false"},
    text=_json_text,
    integer=int.__repr__,
    key=_json_text,
    lines=None,
    step=2,
    padding="",
    last_comma="",
)

_JAVASCRIPT = _Dialect(
    words=_JSON.words,
    text=_javascript_text,
    integer=_javascript_integer,
    key=_javascript_key,
    lines=_javascript_lines,
    step=2,
    padding=" ",
    last_comma=",",
    has_shorthand=True,
)
