"""The page's texts in a reader's language. English is the key: what has no translation is shown as it is written.

A language is a file, `<BCP 47 tag>.json`, of English texts and their translations. A number in braces stands for what
differs each time: `"You are number {1}": "Du bist Nummer {1}"`. Markup is translated piece by piece, between its tags
and in the attributes that are read out; what is code or has translate="no" stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape
from importlib import resources
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

log = structlog.get_logger(__name__)

FOLDER = "languages"
"""Of our own among the package's assets, of the operator's under the home folder."""
HOLE = re.compile(r"\{\d+\}")
_AND_HOLES = re.compile(rf"({HOLE.pattern})")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TEXTS = TypeAdapter(dict[str, str])
_BETWEEN = " · "
"""Between the facts of a line, each of which is a text."""
_SHORT = 8
"""A text with fewer letters than this beside its holes says too little: only numbers count as standing in them."""
_PIECE = re.compile(r'<(?P<end>/?)(?P<tag>[a-zA-Z][\w-]*)(?P<rest>(?:"[^"]*"|[^<>"])*)>|(?P<text>[^<]+|<)')
_READ_OUT = re.compile(r'\b(aria-label|title|placeholder|alt)="([^"]*)"')
_KEPT = frozenset({"code", "pre", "kbd", "samp", "script", "style", "textarea"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A text with holes, and its longest piece: what lacks that needs no closer look."""

    piece: str
    shape: re.Pattern[str]
    holes: tuple[str, ...]
    translation: str


@dataclass(frozen=True)
class Language:
    """`tag` as in BCP 47; `texts` are English texts and what they are in this language."""

    tag: str
    texts: Mapping[str, str]

    def text(self, english: str) -> str:
        """The translation; the text itself where there is none. White space around it stays."""
        bare = english.strip()
        if not bare:
            return english
        said = self.texts.get(bare)
        if said is None and _BETWEEN in bare:
            said = _BETWEEN.join(self.text(fact) for fact in bare.split(_BETWEEN))
        if said is None:
            said = self._filled(bare)
        return english if said is None else english.replace(bare, said, 1)

    def markup(self, html: str) -> str:
        """The markup with each of its texts translated."""
        made: list[str] = []
        kept, depth = "", 0  # the tag within which nothing is translated, and how many of its name are open
        for piece in _PIECE.finditer(html):
            name = (piece["tag"] or "").lower()
            if piece["text"] is not None:
                made.append(piece["text"] if kept else self._escaped(piece["text"]))
                continue
            if kept:
                made.append(piece[0])
                depth += (name == kept) * (-1 if piece["end"] else 1)
                kept = kept if depth else ""
                continue
            if not piece["end"] and name not in _VOID:
                is_kept = name in _KEPT or 'translate="no"' in piece["rest"]
                kept, depth = (name, 1) if is_kept else ("", 0)
            made.append(_READ_OUT.sub(self._attribute, piece[0]))
        return "".join(made)

    def _escaped(self, text: str) -> str:
        plain = unescape(text)
        said = self.text(plain)
        return text if said == plain else escape(said, quote=False)

    def _attribute(self, found: re.Match[str]) -> str:
        plain = unescape(found[2])
        said = self.text(plain)
        return found[0] if said == plain else f'{found[1]}="{escape(said)}"'

    def _filled(self, text: str) -> str | None:
        for pattern in self._patterns:
            if pattern.piece in text and (found := pattern.shape.fullmatch(text)):
                said = (self.texts.get(value, value) for value in found.groups())
                values = dict(zip(pattern.holes, said, strict=True))
                return "".join(values.get(piece, piece) for piece in _AND_HOLES.split(pattern.translation))
        return None

    @cached_property
    def _patterns(self) -> tuple[_Pattern, ...]:
        """Those that say most come first: a text may have the shape of several."""
        made = [_pattern(english, said) for english, said in self.texts.items() if HOLE.search(english)]
        return tuple(sorted(made, key=lambda pattern: -len(pattern.piece)))


def _pattern(english: str, translation: str) -> _Pattern:
    pieces = HOLE.split(english)
    hole = "(.+?)" if sum(map(len, pieces)) >= _SHORT else r"([\d.,\u00a0]+)"
    shape = hole.join(re.escape(piece) for piece in pieces)
    return _Pattern(
        max(pieces, key=len), re.compile(shape, re.DOTALL), tuple(HOLE.findall(english)), translation
    )


class BadLanguage(ValueError):
    """A language file that cannot be used; the message says what is wrong with it and what cures it."""


def read_language(path: Path) -> Language:
    """A language of its file.

    Raises: BadLanguage where its name is no language tag, its content no object of texts, or a text's holes differ
    from its translation's.
    """
    if not _TAG.fullmatch(path.stem):
        raise BadLanguage(f"{path.name} is not named as a language: call it de.json or pt-BR.json.")
    try:
        texts = _TEXTS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as failure:
        raise BadLanguage(
            f'{path} cannot be read as {{"English": "translation", ...}}: mend it, or take it away.'
        ) from failure
    for english, said in texts.items():
        if sorted(HOLE.findall(english)) != sorted(HOLE.findall(said)):
            raise BadLanguage(
                f"{path}: the holes of {english!r} and of its translation differ: give both the same."
            )
    return Language(path.stem, texts)


def shipped_folder() -> Path:
    """Where our own languages lie. The package is installed unpacked, so this is a real path."""
    return Path(str(resources.files("assets").joinpath(FOLDER)))


def read_languages(*folders: Path) -> dict[str, Language]:
    """Tag in lower case -> language, of all folders; a later folder's texts go before an earlier one's.

    A file that cannot be used is named in the log and left out: no page fails to start for it.
    """
    languages: dict[str, Language] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
        try:
            read = read_language(path)
        except BadLanguage as failure:
            log.warning("a language is left out", cure=str(failure))
            continue
        known = languages.get(read.tag.lower())
        texts = {**known.texts, **read.texts} if known is not None else read.texts
        languages[read.tag.lower()] = Language(read.tag, texts)
    return languages


def language_for(accepted: str, languages: Mapping[str, Language]) -> Language | None:
    """The first language of an Accept-Language header that is there; None for English, which needs no file.

    `de-AT` is content with `de`.
    """
    for tag in _wanted(accepted):
        parts = tag.split("-")
        for length in range(len(parts), 0, -1):
            if (found := languages.get("-".join(parts[:length]))) is not None:
                return found
        if parts[0] == "en":
            return None
    return None


def _wanted(accepted: str) -> Iterable[str]:
    """The header's tags in lower case, the dearest first."""
    rated: list[tuple[float, str]] = []
    for entry in accepted.split(","):
        tag, _, rating = entry.partition(";")
        try:
            weight = float(rating.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            rated.append((weight, tag.strip().lower()))
    return [tag for _, tag in sorted(rated, key=lambda pair: -pair[0])]


reader: ContextVar[Language | None] = ContextVar("reader", default=None)
"""The language of whoever the answer is for; None for English."""


def translated(html: str) -> str:
    """Markup of ours in the reader's language, for places where it stands beside what a model wrote."""
    language = reader.get()
    return html if language is None else language.markup(html)
